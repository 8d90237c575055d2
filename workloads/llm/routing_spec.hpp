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

/// A token is of a kind (a word, a syntax), and a kind prefers certain experts in every layer: so
/// layers predict each other. A request uses few kinds (its topic): so its tokens share experts,
/// near and far. Beside that a pick may simply be the one of the token before.
struct RoutingSpec {
  ExpertChoice choice = ExpertChoice::ByToken;
  /// Tokens an expert takes in a step, as a multiple of the mean; those beyond are dropped [Fedus
  /// et al., JMLR 2022]. 0 = no limit.
  double capacity_factor = 0;

  /// Sigma of the lognormal popularity of experts within a layer; 0 = uniform.
  double popularity_sigma = 0;
  std::int64_t kinds = 64;             ///< of tokens, in the whole model
  std::int64_t kinds_per_request = 8;  ///< drawn with repetition
  double kind_sigma = 0;               ///< of the lognormal factor between a kind's preference and
                                       ///< the popularity, per layer
  double kind_share = 0;               ///< chance that a pick follows the token's kind
  double stickiness = 0;    ///< chance that a pick is that of the token before, in steps of 1/256
  std::string recording{};  ///< file of recorded picks to replay instead; empty = none

  bool operator==(const RoutingSpec&) const = default;
};

enum class RoutingPresetName : std::uint8_t { Uniform, Balanced, Typical, Skewed };

struct RoutingPreset {
  std::string_view text;
  double popularity_sigma;
  std::int64_t kinds_per_request;
  double kind_sigma;
  double kind_share;
  double stickiness;
};

/// Fitted laws, by RoutingPresetName; docs/workloads.md, "Routing", has their figures beside the
/// measured ones.
inline constexpr std::array<RoutingPreset, 4> kRoutingPresets{{
    {"uniform", 0, 1, 0, 0, 0},
    {"balanced", 0.1, 8, 1.6, 0.6, 0.1},
    {"typical", 0.6, 8, 1.6, 0.6, 0.1},
    {"skewed", 1.1, 8, 1.6, 0.6, 0.1},
}};

inline RoutingSpec routing_of(RoutingPresetName name) {
  const RoutingPreset& p = kRoutingPresets[static_cast<std::size_t>(name)];
  RoutingSpec spec;
  spec.popularity_sigma = p.popularity_sigma;
  spec.kinds_per_request = p.kinds_per_request;
  spec.kind_sigma = p.kind_sigma;
  spec.kind_share = p.kind_share;
  spec.stickiness = p.stickiness;
  return spec;
}

}  // namespace reticle
