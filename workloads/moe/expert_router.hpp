// SPDX-License-Identifier: Apache-2.0
// Which experts a token picks: a pure function of (seed, request, position, layer), so that every
// platform sees the identical routing whatever its batching.
//
// Models:     a popularity per layer and expert, topics of requests, picks that stay from token to
//             token or follow from the layer before (RoutingSpec); token-choice top-k without
//             replacement (Plackett-Luce); replay of recorded picks.
// Leaves out: what the words of a prompt decide; topics that change along a text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

struct RoutingRecord;

class ExpertRouter {
 public:
  /// Builds one alias table (Walker 1977, Vose 1991) per MoE layer, or one per layer and topic
  /// where topics have preferences; reads the recording, if one is named. Requires llm.moe. Throws
  /// ConfigError when the recording is of another model.
  ExpertRouter(const LlmSpec& llm, std::uint64_t seed);
  ~ExpertRouter();
  ExpertRouter(ExpertRouter&&) noexcept;
  ExpertRouter& operator=(ExpertRouter&&) = delete;

  /// Requests with the same number in `session_of` (by request) have one topic; others one each.
  void share_topics(std::vector<std::uint64_t> session_of);

  /// Writes the `top_k` distinct experts of this token into `out` (size top_k), in order drawn.
  /// Many tokens: RoutedBatch.
  void route(RequestId request, std::int64_t position, std::int64_t layer,
             std::span<std::int32_t> out) const;

  /// Adds one to loads[e] (size experts) for each expert e picked by positions
  /// [first, first + count) of `request` at `layer`.
  void add_loads(RequestId request, std::int64_t first, std::int64_t count, std::int64_t layer,
                 std::span<std::int32_t> loads) const;

  /// Probability of expert e in the first draw at `layer`, over all requests; sums to 1.
  [[nodiscard]] std::span<const double> popularity(std::int64_t layer) const;

  [[nodiscard]] std::int32_t experts() const { return experts_; }
  [[nodiscard]] std::int32_t top_k() const { return top_k_; }
  /// Layers that have experts, ascending.
  [[nodiscard]] const std::vector<std::int64_t>& moe_layers() const { return moe_layers_; }

 private:
  friend class RoutedBatch;  // draws from the tables

  /// One column of an alias table: the expert itself below the threshold, else its alias. Small, so
  /// that the tables a layer's picks are drawn from stay in the nearer caches.
  struct Column {
    std::uint16_t threshold;  ///< acceptance, scaled to 2^16
    std::uint16_t alias;
    /// Without a branch, which nobody could foresee.
    [[nodiscard]] std::uint16_t choose(std::uint16_t own, std::uint16_t bits) const {
      const unsigned mask = 0U - static_cast<unsigned>(bits < threshold);
      return static_cast<std::uint16_t>(alias ^ ((alias ^ own) & mask));
    }
  };
  /// Of tokens that keep a pick, and of layers it follows over.
  static constexpr std::size_t kLongestRun = 8;
  struct Layer {
    std::vector<double> weights;         ///< [topic][expert], of a topic they sum to 1; or none
    std::vector<std::uint16_t> follows;  ///< [layers back][expert there] -> expert here
    std::vector<double> own;             ///< over all requests, of picks that do not follow
    std::vector<double> popularity;      ///< over all requests
    std::size_t link = 0;                ///< among the layers with experts, `before_` included
  };

  void add_table(Layer& layer, std::span<const double> weights);
  void build_layer(Layer& layer, std::int64_t index);
  void link(Layer& layer, std::size_t experts, const std::string& name);
  void replay(const LlmSpec& llm);
  [[nodiscard]] const Layer& layer_of(std::int64_t layer) const;
  /// Of a layer with experts, among those that are asked for.
  [[nodiscard]] std::int64_t ordinal(const Layer& layer) const;
  /// Of this seed and request.
  [[nodiscard]] std::uint64_t request_key(RequestId request) const;
  /// Below RoutingSpec::topics, or 0 where topics have no preferences.
  [[nodiscard]] std::uint64_t topic_of(RequestId request) const;

  std::uint64_t seed_;
  std::int32_t experts_;
  std::int32_t top_k_;
  RoutingSpec spec_;
  std::uint64_t stay_ = 0, follow_ = 0;   ///< chances, in 1/128
  std::vector<Column> columns_;           ///< [link][topic][expert]
  std::vector<std::uint64_t> draw_keys_;  ///< by link
  std::vector<Layer> before_;             ///< never asked for: what picks of the first may follow
  std::vector<Layer> layers_;             ///< by layer
  std::vector<std::uint64_t> session_of_;
  std::vector<std::int64_t> moe_layers_;     ///< those with experts
  std::vector<const Layer*> linked_layers_;  ///< into before_, then into layers_, by link
  std::unique_ptr<const RoutingRecord> record_;
};

}  // namespace reticle
