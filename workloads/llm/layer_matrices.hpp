// SPDX-License-Identifier: Apache-2.0
// The matrices of a layer: the one list from which parameters are counted, weights placed and
// GEMMs written.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

enum class MatrixRole : std::uint8_t {
  MixerIn,   ///< queries, keys, values, gates; of latent attention what leads to the cache
  QueryUp,   ///< latent attention: compressed query to heads (and the indexer's queries)
  KeyUp,     ///< latent attention: per head, key part x kv_rank
  ValueUp,   ///< latent attention: per head, kv_rank x value
  MixerOut,  ///< heads back to the residual stream
  Router,
  GateUp,  ///< dense FFN, or all shared experts as one
  Down,
  ExpertGateUp,  ///< a copy per routed expert
  ExpertDown,
  Join,  ///< of a head: a token's embedding and the model's state, side by side, to one stream
};
inline constexpr std::size_t kMatrixRoleCount = 11;
/// Of a routed expert: a copy each, dealt to dies by expert.
constexpr bool is_expert(MatrixRole role) {
  return role == MatrixRole::ExpertGateUp || role == MatrixRole::ExpertDown;
}

/// How the dies of a group share a matrix.
enum class MatrixCut : std::uint8_t {
  Whole,    ///< everyone has all of it
  Columns,  ///< n is dealt: everyone has all rows of its columns
  Rows,     ///< k is dealt: results are partial sums
  Copies,   ///< copies (heads) are dealt
};

struct Matrix {
  MatrixRole role{};
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t copies = 1;
  MatrixCut cut{};
  Precision precision = Precision::Bf16;
  std::int64_t blocks = 1;  ///< Columns: n is this many equal blocks side by side, each dealt alike

  [[nodiscard]] std::int64_t elements() const { return k * n * copies; }
};

/// All matrices of `layer`, in the order in which a token meets them.
std::vector<Matrix> matrices_of(const LlmSpec& llm, std::int64_t layer);

}  // namespace reticle
