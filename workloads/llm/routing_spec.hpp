// SPDX-License-Identifier: Apache-2.0
// How tokens spread over experts: the law of a router's picks, and laws measured models follow.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace reticle {

enum class ExpertChoice : std::uint8_t {
  ByToken,   ///< a token picks top_k experts
  ByExpert,  ///< an expert picks tokens x top_k / experts of a step's tokens [Zhou+ NeurIPS'22]
};

/// Experts of a layer differ in popularity; a request has a topic, whose tokens prefer some of
/// them; a pick may be that of the token before, or follow from the pick of the layer before.
enum class PopularityShape : std::uint8_t {
  LogUniform,  ///< no tail: gpt-oss-20b
  LogNormal,   ///< a few experts far above the rest: DeepSeek-V3, OLMoE on code and books
  LogGamma,    ///< logarithm the sum of two exponentials, skewed: OLMoE on web text and papers
};
inline constexpr std::array<std::string_view, 3> kPopularityShapes{"log-uniform", "log-normal",
                                                                   "log-gamma"};

struct RoutingSpec {
  ExpertChoice choice = ExpertChoice::ByToken;
  /// Tokens an expert takes in a step, as a multiple of the mean; those beyond are dropped [Fedus
  /// et al., JMLR 2022]. 0 = no limit.
  double capacity_factor = 0;

  /// Standard deviation of the logarithm of an expert's popularity within a layer, of picks that do
  /// not follow from the layer before; 0 = uniform.
  double popularity_sigma = 0;
  PopularityShape popularity_shape = PopularityShape::LogUniform;
  std::int64_t topics = 64;      ///< of the whole model; a request has one of them
  double topic_sigma = 0;        ///< of the logarithm, uniform, of what a topic multiplies the
                                 ///< popularity by, per layer; 0 = requests are alike
  double stickiness = 0;         ///< chance that a pick is that of the token before, to 0.75:
                                 ///< runs end after 8 tokens
  double layer_correlation = 0;  ///< chance that a pick follows from that of the layer before,
                                 ///< likewise
  std::string recording{};       ///< file of recorded picks to replay instead; empty = none

  bool operator==(const RoutingSpec&) const = default;
};

enum class RoutingPresetName : std::uint8_t { Uniform, Balanced, Typical, Skewed };

struct RoutingPreset {
  std::string_view text;
  double popularity_sigma;
  PopularityShape popularity_shape;
  double topic_sigma;
  double stickiness;
  double layer_correlation;
};

/// Fitted laws, by RoutingPresetName; docs/workloads.md, "Routing", has their figures beside the
/// measured ones.
inline constexpr std::array<RoutingPreset, 4> kRoutingPresets{{
    {"uniform", 0, PopularityShape::LogUniform, 0, 0, 0},
    {"balanced", 0.4, PopularityShape::LogNormal, 2.0, 0.231, 0.638},
    {"typical", 2.59, PopularityShape::LogUniform, 2.0, 0.231, 0.638},
    {"skewed", 1.45, PopularityShape::LogNormal, 2.0, 0.231, 0.638},
}};

inline RoutingSpec routing_of(RoutingPresetName name) {
  const RoutingPreset& p = kRoutingPresets[static_cast<std::size_t>(name)];
  RoutingSpec spec;
  spec.popularity_sigma = p.popularity_sigma;
  spec.popularity_shape = p.popularity_shape;
  spec.topic_sigma = p.topic_sigma;
  spec.stickiness = p.stickiness;
  spec.layer_correlation = p.layer_correlation;
  return spec;
}

}  // namespace reticle
