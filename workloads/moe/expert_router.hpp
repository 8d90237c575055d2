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
#include <vector>

#include "sim/base/ids.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

struct RoutingRecord;

class ExpertRouter {
 public:
  /// Builds one alias table (Walker 1977, Vose 1991) per MoE layer, or one per layer and topic where
  /// topics have preferences; reads the recording, if one is named. Requires llm.moe. Throws
  /// ConfigError when the recording is of another model.
  ExpertRouter(const LlmSpec& llm, std::uint64_t seed);
  ~ExpertRouter();
  ExpertRouter(ExpertRouter&&) noexcept;
  ExpertRouter& operator=(ExpertRouter&&) = delete;

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
  [[nodiscard]] std::vector<std::int64_t> moe_layers() const;

 private:
  /// One column of the alias table: the expert itself below the threshold, else its alias.
  struct Column {
    std::uint32_t threshold;  ///< acceptance, scaled to 2^32
    std::int32_t alias;
  };
  struct AliasTable {
    std::vector<Column> columns;  ///< one per expert
    std::vector<double> popularity;
  };
  struct Layer {
    AliasTable base;
    std::vector<AliasTable> topics;     ///< empty: picks follow the base alone
    std::vector<std::int32_t> follows;  ///< expert of the layer before -> expert here
    std::vector<double> popularity;     ///< over all requests
    std::int64_t ordinal = 0;           ///< among the layers with experts
    std::int64_t before = -1;           ///< layer with experts before; -1: none
  };
  /// A layer of one request: what its tokens' draws have in common.
  struct Place {
    const Layer* layer;
    std::uint64_t key;          ///< of request and layer
    std::uint64_t request_key;  ///< of the request
  };

  static std::vector<Column> build_columns(std::span<const double> popularity);
  static AliasTable make_table(std::vector<double> weights);
  void build_layer(Layer& layer, std::int64_t index);
  void replay(const LlmSpec& llm);
  [[nodiscard]] const Layer& layer_of(std::int64_t layer) const;
  [[nodiscard]] Place place_of(std::uint64_t request_key, std::int64_t layer) const;
  /// Calls pick(expert) for each of the top_k distinct experts, in order drawn.
  template <class Pick>
  void draw(const Place& place, std::int64_t position, Pick pick) const;
  template <class Pick>
  void draw_base(const AliasTable& table, std::uint64_t token_key, Pick pick) const;
  template <class Pick>
  void draw_linked(const Place& place, std::int64_t position, Pick pick) const;
  template <class Pick>
  void recorded(RequestId request, std::int64_t position, std::int64_t layer, Pick pick) const;
  [[nodiscard]] const AliasTable& table_of(const Place& place) const;
  [[nodiscard]] std::int32_t linked(const Place& place, std::int64_t position,
                                    std::int32_t rank) const;
  [[nodiscard]] std::int32_t fresh(const Place& place, std::int64_t position, std::int32_t rank,
                                   std::int32_t attempt) const;
  [[nodiscard]] std::int64_t drawn_at(const Place& place, std::int64_t position,
                                      std::int32_t rank) const;
  [[nodiscard]] std::int32_t pick_from(const AliasTable& table, std::uint64_t bits) const;

  std::uint64_t seed_;
  std::int32_t experts_;
  std::int32_t top_k_;
  RoutingSpec spec_;
  std::vector<Layer> layers_;  ///< by layer; empty tables where there are no experts
  std::unique_ptr<const RoutingRecord> record_;
};

}  // namespace reticle
