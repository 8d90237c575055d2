// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/adapter_matrices.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/workloads/example_llms.hpp"

using namespace reticle;

namespace {

/// Input plus output width of every linear module that a Llama layer has.
std::int64_t widths(const LlmSpec& llm, AdapterTargets targets) {
  const AttentionSpec& a = attention_of(llm);
  const std::int64_t hidden = llm.hidden, queries = a.heads * a.head_dim,
                     keys = a.kv_heads * a.head_dim;
  const std::int64_t attention =
      (hidden + queries) + 2 * (hidden + keys) + (queries + hidden);  // q, k, v, o
  if (targets == AdapterTargets::Attention) return attention;
  return attention + 3 * (hidden + llm.dense_ffn);  // gate, up, down
}

const Matrix& of_role(const std::vector<Matrix>& all, MatrixRole role) {
  return *std::ranges::find(all, role, &Matrix::role);
}

}  // namespace

TEST_CASE("adapters: their elements are rank times the widths of every module, layer by layer") {
  for (const LlmSpec& llm : {llama_3_70b(), llama_3_1_8b()})
    for (const AdapterTargets targets : {AdapterTargets::Attention, AdapterTargets::AllLinear})
      for (const std::int64_t rank : {1, 8, 16, 64})
        CHECK(adapter_elements(llm, {.adapters = 1, .targets = targets}, rank) ==
              rank * widths(llm, targets) * llm.layer_count());
  // What fine-tuning libraries count as trainable for rank 16 of all linear modules.
  CHECK(adapter_elements(llama_3_70b(), {.adapters = 1}, 16) == 207'093'760);
  CHECK(adapter_elements(llama_3_1_8b(), {.adapters = 1}, 16) == 41'943'040);
}

TEST_CASE("adapters: routed experts and routers have none, shared experts as dense networks") {
  LlmSpec llm = mixtral_8x7b();
  const AdapterSpec spec{.adapters = 1};
  CHECK(adapter_elements(llm, spec, 16) ==
        16 * widths(llm, AdapterTargets::Attention) * llm.layer_count());
  llm.moe->shared_experts = 2;
  llm.moe->shared_ffn = 1024;
  CHECK(adapter_elements(llm, spec, 16) ==
        16 * (widths(llm, AdapterTargets::Attention) + 3 * (4096 + 2048)) * llm.layer_count());
}

TEST_CASE("adapters: of latent attention the modules of q_a, q_b, kv_a and o are changed") {
  LlmSpec llm = llama_3_70b();
  const LatentAttentionSpec latent{.heads = 128,
                                   .query_rank = 1536,
                                   .kv_rank = 512,
                                   .rope_dim = 64,
                                   .nope_dim = 128,
                                   .value_dim = 128};
  llm.mixers.front().of = latent;
  const std::int64_t expected =
      (8192 + 1536) + (1536 + 128 * 192) + (8192 + 512 + 64) + (128 * 128 + 8192);
  CHECK(adapter_elements(llm, {.adapters = 1, .targets = AdapterTargets::Attention}, 8) ==
        8 * expected * llm.layer_count());
}

TEST_CASE("adapters: B is cut where the matrix's columns are, A where its rows are") {
  const LlmSpec llm = llama_3_70b();
  const std::vector<Matrix> all = matrices_of(llm, 0);
  const AdapterSpec spec{.adapters = 1};
  const auto in = adapter_pair(llm, 0, of_role(all, MatrixRole::GateUp), spec, 16);
  REQUIRE(in);
  CHECK(in->a.cut == MatrixCut::Whole);
  CHECK(in->a.n == 32);  // one A for gate, one for up
  CHECK(in->b.cut == MatrixCut::Columns);
  CHECK(in->b.k == 16);
  const auto out = adapter_pair(llm, 0, of_role(all, MatrixRole::Down), spec, 16);
  REQUIRE(out);
  CHECK(out->a.cut == MatrixCut::Rows);
  CHECK(out->b.cut == MatrixCut::Whole);
}
