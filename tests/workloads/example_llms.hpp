// SPDX-License-Identifier: Apache-2.0
// Published architectures whose parameter counts are known to the last one.
#pragma once

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// The attention of a model that has no other mixer.
inline AttentionSpec& attention_of(LlmSpec& llm) {
  return std::get<AttentionSpec>(llm.mixers.front().of);
}
inline const AttentionSpec& attention_of(const LlmSpec& llm) {
  return std::get<AttentionSpec>(llm.mixers.front().of);
}

inline LlmSpec llama_3_70b() {
  return {.name = "llama-3-70b",
          .hidden = 8192,
          .vocabulary = 128256,
          .mixers = {{"attention", AttentionSpec{.heads = 64, .kv_heads = 8, .head_dim = 128}}},
          .layers = dense_then_moe(80, 0),
          .dense_ffn = 28672,
          .max_context = 131072};
}

inline LlmSpec llama_3_1_8b() {
  LlmSpec llm = llama_3_70b();
  llm.name = "llama-3.1-8b";
  llm.layers = dense_then_moe(32, 0);
  llm.hidden = 4096;
  attention_of(llm).heads = 32;
  llm.dense_ffn = 14336;
  return llm;
}

inline LlmSpec mixtral_8x7b() {
  return {.name = "mixtral-8x7b",
          .hidden = 4096,
          .vocabulary = 32000,
          .mixers = {{"attention", AttentionSpec{.heads = 32, .kv_heads = 8, .head_dim = 128}}},
          .layers = dense_then_moe(0, 32),
          .moe = MoeSpec{.experts = 8, .top_k = 2, .expert_ffn = 14336},
          .max_context = 32768};
}

}  // namespace reticle
