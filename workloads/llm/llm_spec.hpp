// SPDX-License-Identifier: Apache-2.0
// What a language model is: the architecture figures that decide bytes and operations.
//
// Models:     decoder-only transformers, dense or mixture-of-experts (token-choice top-k with
//             shared experts), multi-head / grouped-query / multi-query attention.
// Leaves out: latent attention, sliding windows, state-space layers, multi-token prediction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

struct AttentionSpec {
  std::int64_t heads = 0;     ///< query heads
  std::int64_t kv_heads = 0;  ///< key/value heads; heads for MHA, 1 for MQA
  std::int64_t head_dim = 0;
};

struct MoeSpec {
  std::int64_t experts = 0;         ///< routed experts per MoE layer
  std::int64_t top_k = 0;           ///< routed experts per token
  std::int64_t expert_ffn = 0;      ///< intermediate size of one routed expert
  std::int64_t shared_experts = 0;  ///< always-active experts
  std::int64_t shared_ffn = 0;      ///< intermediate size of one shared expert
  /// Sigma of the lognormal popularity of experts within a layer; 0 = uniform.
  /// Load CV = sqrt(exp(sigma^2) - 1) for small top_k; less for a larger share of the experts.
  double popularity_sigma = 0.0;
};

/// One decoder-only language model. FFNs are gated (three matrices: gate, up, down).
struct LlmSpec {
  std::string name{};
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t vocabulary = 0;
  AttentionSpec attention{};
  std::int64_t dense_ffn = 0;     ///< intermediate size of dense layers; 0 when none is dense
  std::int64_t dense_layers = 0;  ///< the first this many layers are dense
  std::optional<MoeSpec> moe{};   ///< all other layers
  bool tied_embeddings = false;
  std::int64_t max_context = 0;  ///< tokens
  Precision weights = Precision::Bf16;
  Precision embedding = Precision::Bf16;  ///< token embedding and output head
  Precision activations = Precision::Bf16;
  Precision kv = Precision::Bf16;

  [[nodiscard]] bool layer_is_moe(std::int64_t layer) const {
    return moe.has_value() && layer >= dense_layers;
  }
};

/// Parameter counts by part, each a whole number computed from the architecture.
struct ParameterCounts {
  std::int64_t attention = 0;       ///< all layers: Q, K, V, O projections
  std::int64_t dense_ffn = 0;       ///< all dense layers
  std::int64_t routed_experts = 0;  ///< all experts of all MoE layers
  std::int64_t shared_experts = 0;
  std::int64_t router = 0;
  std::int64_t norms = 0;
  std::int64_t embedding = 0;  ///< input table, plus the output head when not tied
  std::int64_t total = 0;
  std::int64_t active = 0;  ///< touched by one token (input embedding counted whole)
};

ParameterCounts count_parameters(const LlmSpec& llm);

/// Key and value bytes one token leaves in one layer / in all layers.
Bytes kv_bytes_per_token_layer(const LlmSpec& llm);
Bytes kv_bytes_per_token(const LlmSpec& llm);

/// Bytes of all weights at their storage precision (norms and router in BF16).
Bytes weight_bytes(const LlmSpec& llm);
/// Bytes of the weights one token streams: active parameters, of the input embedding one row.
Bytes active_weight_bytes(const LlmSpec& llm);

/// Throws ConfigError (without position) naming the first rule `llm` breaks.
void check(const LlmSpec& llm);

}  // namespace reticle
