// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/adapter_spec.hpp"
#include "workloads/llm/layer_matrices.hpp"

namespace reticle {

/// What one adapter adds beside one matrix of a layer. The linear modules that the matrix joins
/// (queries, keys and values; gate and up) have an A each, side by side, and their B as wide as
/// their columns.
struct AdapterPair {
  Matrix a;  ///< in x (modules x rank)
  Matrix b;  ///< rank x out: every column is of one module
};

/// Cut so that no sums cross dies but those the matrix itself leaves: where its columns are dealt,
/// everyone has all of A and B's columns beside its own; where its rows are dealt, A's rows beside
/// its own and all of B.
///
/// Leaves out: matrices per head of latent attention (decoding absorbs them), indexers, routers and
/// routed experts, embeddings and output head.
std::optional<AdapterPair> adapter_pair(const LlmSpec& llm, std::int64_t layer,
                                        const Matrix& matrix, const AdapterSpec& spec,
                                        std::int64_t rank);

/// Elements of an adapter of that rank, all layers together.
std::int64_t adapter_elements(const LlmSpec& llm, const AdapterSpec& spec, std::int64_t rank);

}  // namespace reticle
