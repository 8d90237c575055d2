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
  /// One column of an alias table: the expert itself below the threshold, else its alias. Small, so
  /// that a layer's tables of all topics stay in the nearest cache.
  struct Column {
    std::uint16_t threshold;  ///< acceptance, scaled to 2^16
    std::uint16_t alias;
  };
  struct Layer {
    std::vector<Column> columns;         ///< [topic][expert]; empty: no experts
    std::vector<double> weights;         ///< likewise; of a topic they sum to 1
    std::vector<std::uint16_t> follows;  ///< [layers back][expert there] -> expert here
    std::vector<double> own;             ///< over all requests, of picks that do not follow
    std::vector<double> popularity;      ///< over all requests
    std::uint64_t salt = 0;              ///< hash of the layer's number
    std::int64_t ordinal = 0;            ///< among the layers with experts
  };
  class Linked;
  /// A layer of one request: what its tokens' draws have in common.
  struct Place {
    const Layer* layer;
    std::uint64_t key;          ///< of request and layer
    std::uint64_t request_key;  ///< of the request
    std::size_t table = 0;      ///< where its topic's begins in the layer's tables
  };

  void add_table(Layer& layer, std::span<const double> weights) const;
  void build_layer(Layer& layer, std::int64_t index);
  void link(Layer& layer, std::size_t experts, const std::string& name);
  void replay(const LlmSpec& llm);
  [[nodiscard]] const Layer& layer_of(std::int64_t layer) const;
  [[nodiscard]] Place place_of(RequestId request, std::int64_t layer) const;
  /// Calls pick(expert) for each of the top_k distinct experts, in order drawn.
  template <class Pick>
  void draw(const Place& place, std::int64_t position, Pick pick) const;
  template <class Pick>
  void draw_alone(const Place& place, std::int64_t position, Pick pick) const;
  template <class Pick>
  void draw_linked(const Place& place, std::int64_t position, Pick pick) const;
  template <class Pick>
  void recorded(RequestId request, std::int64_t position, std::int64_t layer, Pick pick) const;
  [[nodiscard]] std::int32_t pick_from(const Layer& layer, std::size_t table,
                                       std::uint64_t bits) const;
  [[nodiscard]] std::span<const double> weights_of(const Place& place) const;

  std::uint64_t seed_;
  std::int32_t experts_;
  std::int32_t top_k_;
  RoutingSpec spec_;
  std::uint64_t stay_ = 0, follow_ = 0;  ///< chances, in 1/128
  std::vector<Layer> before_;            ///< never asked for: what picks of the first may follow
  std::vector<Layer> layers_;            ///< by layer
  std::vector<std::uint64_t> session_of_;
  std::vector<std::int64_t> moe_layers_;     ///< those with experts
  std::vector<const Layer*> linked_layers_;  ///< into before_, then into layers_ by ordinal
  std::unique_ptr<const RoutingRecord> record_;
};

}  // namespace reticle
