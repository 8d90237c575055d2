// SPDX-License-Identifier: Apache-2.0
// The operators of one forward pass and what depends on what. Shapes that vary from step to step
// (tokens, contexts, routing) are not here: one graph serves every step.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "workloads/llm/layer_matrices.hpp"

namespace reticle {

enum class OperatorKind : std::uint8_t {
  Embed,         ///< gather one row of the table per token
  Norm,          ///< RMS normalisation (vector)
  QkvProject,    ///< GEMM, k = hidden: all a mixer projects from its input
  QueryUp,       ///< GEMM, latent attention: compressed query to heads
  KeyUp,         ///< GEMM per head, latent attention: into queries (decode) or keys (prefill)
  Rope,          ///< rotary embedding of Q and K (vector)
  KvAppend,      ///< new K and V into the cache
  Attend,        ///< scores, softmax, weighted sum over each request's context
  ValueUp,       ///< GEMM per head, latent attention
  Recur,         ///< convolution, state update and read-out of a recurrence
  OutProject,    ///< GEMM, n = hidden
  Residual,      ///< element-wise add (vector)
  Router,        ///< GEMM hidden x experts, then top-k (vector)
  GateUp,        ///< GEMM hidden x 2 ffn of dense FFN / shared experts
  Activate,      ///< gated activation (vector)
  Down,          ///< GEMM ffn x hidden
  ExpertGateUp,  ///< as GateUp, per routed expert with its own tokens
  ExpertActivate,
  ExpertDown,
  Head,    ///< GEMM hidden x vocabulary
  Sample,  ///< pick the next token (vector)
};

std::string_view name_of(OperatorKind kind);

struct Operator {
  OperatorKind kind{};
  std::int64_t layer = 0;      ///< -1 for those outside the layers
  Matrix weight{.copies = 0};  ///< 0 copies: the operator has no weights
};

struct OpEdge {
  std::int32_t from = 0;  ///< index into operators
  std::int32_t to = 0;
};

struct OpGraph {
  std::vector<Operator> operators;  ///< in one topological order (checked by Boost.Graph)
  std::vector<OpEdge> edges;
};

/// Builds the graph of `llm`; operators come out topologically sorted, layer by layer.
OpGraph build_op_graph(const LlmSpec& llm);

/// The operators of `graph` that `keep` wants, by layer (-1: embedding, head and sampling), in the
/// same order and without edges: the order is one of dependence already.
OpGraph part_of(const OpGraph& graph, const std::function<bool(const Operator&)>& keep);

/// The longest chain of dependent operators, counted in operators.
std::int64_t critical_depth(const OpGraph& graph);

}  // namespace reticle
