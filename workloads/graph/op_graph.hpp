// SPDX-License-Identifier: Apache-2.0
// The operators of one forward pass and what depends on what. Shapes that vary from step to step
// (tokens, contexts, routing) are not here: one graph serves every step.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/base/precision.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

enum class OperatorKind : std::uint8_t {
  Embed,         ///< gather one row of the table per token
  Norm,          ///< RMS normalisation (vector)
  QkvProject,    ///< GEMM, k = hidden, n = (heads + 2 kv_heads) x head_dim
  Rope,          ///< rotary embedding of Q and K (vector)
  KvAppend,      ///< new K and V into the cache
  Attend,        ///< scores, softmax, weighted sum over each request's context
  OutProject,    ///< GEMM, k = heads x head_dim, n = hidden
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

/// A matrix of weights an operator multiplies by: `copies` matrices of k x n.
struct WeightShape {
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t copies = 0;  ///< 1, or the number of experts; 0 = the operator has no weights
  Precision precision = Precision::Bf16;
};

struct Operator {
  OperatorKind kind{};
  std::int64_t layer = 0;  ///< -1 for those outside the layers
  WeightShape weight{};
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

/// The longest chain of dependent operators, counted in operators.
std::int64_t critical_depth(const OpGraph& graph);

}  // namespace reticle
