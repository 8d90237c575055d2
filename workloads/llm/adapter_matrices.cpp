// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/adapter_matrices.hpp"

#include <variant>

namespace reticle {

namespace {

/// What a mixer's input matrix joins.
struct Joined {
  std::int64_t modules = 1;
  std::int64_t columns = 0;  ///< of these modules
};

struct JoinedInto {
  std::int64_t columns;
  Joined operator()(const AttentionSpec& a) const { return {a.keys_are_values ? 2 : 3, columns}; }
  /// The compressed query, or the query itself, and the compressed keys and values.
  Joined operator()(const LatentAttentionSpec& a) const {
    const std::int64_t queries =
        a.query_rank > 0 ? a.query_rank : a.heads * (a.nope_dim + a.rope_dim);
    return {2, queries + a.kv_rank + a.rope_dim};
  }
  Joined operator()(const RecurrentSpec&) const { return {1, columns}; }
};

/// nullopt: adapters leave it as it is.
std::optional<Joined> joined(const LlmSpec& llm, std::int64_t layer, const Matrix& matrix,
                             AdapterTargets targets) {
  const Joined one{1, matrix.n};
  switch (matrix.role) {
    case MatrixRole::MixerIn:
      return std::visit(JoinedInto{matrix.n}, llm.mixer_of(layer)->of);
    case MatrixRole::QueryUp: {
      const auto& latent = std::get<LatentAttentionSpec>(llm.mixer_of(layer)->of);
      return Joined{1, latent.heads * (latent.nope_dim + latent.rope_dim)};
    }
    case MatrixRole::MixerOut:
      return one;
    case MatrixRole::GateUp:
    case MatrixRole::Down:
      if (targets == AdapterTargets::Attention) return std::nullopt;
      return Joined{matrix.blocks, matrix.n};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<AdapterPair> adapter_pair(const LlmSpec& llm, std::int64_t layer,
                                        const Matrix& matrix, const AdapterSpec& spec,
                                        std::int64_t rank) {
  const auto of = joined(llm, layer, matrix, spec.targets);
  if (!of) return std::nullopt;
  AdapterPair pair{matrix, matrix};
  pair.a.precision = pair.b.precision = spec.format;
  pair.a.n = of->modules * rank;
  pair.a.blocks = 1;
  pair.b.k = rank;
  pair.b.n = of->columns;
  (matrix.cut == MatrixCut::Rows ? pair.b : pair.a).cut = MatrixCut::Whole;
  return pair;
}

std::int64_t adapter_elements(const LlmSpec& llm, const AdapterSpec& spec, std::int64_t rank) {
  std::int64_t sum = 0;
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer)
    for (const Matrix& matrix : matrices_of(llm, layer))
      if (const auto pair = adapter_pair(llm, layer, matrix, spec, rank))
        sum += pair->a.elements() + pair->b.elements();
  return sum;
}

}  // namespace reticle
