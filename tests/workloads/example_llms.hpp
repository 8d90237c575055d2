// SPDX-License-Identifier: Apache-2.0
// Published architectures whose parameter counts are known to the last one.
#pragma once

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

inline LlmSpec llama_3_70b() {
  return {.name = "llama-3-70b",
          .layers = 80,
          .hidden = 8192,
          .vocabulary = 128256,
          .attention = {.heads = 64, .kv_heads = 8, .head_dim = 128},
          .dense_ffn = 28672,
          .dense_layers = 80,
          .max_context = 131072};
}

inline LlmSpec llama_3_1_8b() {
  LlmSpec llm = llama_3_70b();
  llm.name = "llama-3.1-8b";
  llm.layers = llm.dense_layers = 32;
  llm.hidden = 4096;
  llm.attention.heads = 32;
  llm.dense_ffn = 14336;
  return llm;
}

inline LlmSpec mixtral_8x7b() {
  return {.name = "mixtral-8x7b",
          .layers = 32,
          .hidden = 4096,
          .vocabulary = 32000,
          .attention = {.heads = 32, .kv_heads = 8, .head_dim = 128},
          .moe = MoeSpec{.experts = 8, .top_k = 2, .expert_ffn = 14336},
          .max_context = 32768};
}

}  // namespace reticle
