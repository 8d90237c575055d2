// SPDX-License-Identifier: Apache-2.0
// Which experts a token picks: a pure function of (seed, request, position, layer), so that every
// platform sees the identical routing whatever its batching.
//
// Models:     a popularity per layer and expert (lognormal, or uniform), token-choice top-k without
//             replacement (Plackett-Luce: successive sampling in proportion to popularity).
// Leaves out: stickiness from token to token, dependence on the text, correlation between layers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

class ExpertRouter {
 public:
  /// Builds one alias table (Walker 1977, Vose 1991) per MoE layer. Requires llm.moe.
  ExpertRouter(const LlmSpec& llm, std::uint64_t seed);

  /// Writes the `top_k` distinct experts of this token into `out` (size top_k), in order drawn.
  void route(RequestId request, std::int64_t position, std::int64_t layer,
             std::span<std::int32_t> out) const;

  /// Adds one to loads[e] (size experts) for each expert e picked by positions
  /// [first, first + count) of `request` at `layer`.
  void add_loads(RequestId request, std::int64_t first, std::int64_t count, std::int64_t layer,
                 std::span<std::int32_t> loads) const;

  /// Probability of expert e in the first draw at `layer`; sums to 1 over experts.
  [[nodiscard]] std::span<const double> popularity(std::int64_t layer) const;

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

  static std::vector<Column> build_columns(std::span<const double> popularity);
  [[nodiscard]] const AliasTable& table_of(std::int64_t layer) const;
  /// What the draws of all positions of one request at one layer have in common.
  [[nodiscard]] std::uint64_t key_of(RequestId request, std::int64_t layer) const;
  /// Calls pick(expert) for each of the top_k distinct experts, in order drawn.
  template <class Pick>
  void draw(const AliasTable& table, std::uint64_t token_key, Pick pick) const;

  std::uint64_t seed_;
  std::int32_t experts_;
  std::int32_t top_k_;
  std::vector<AliasTable> layers_;  ///< by layer; empty where there are no experts
};

}  // namespace reticle
