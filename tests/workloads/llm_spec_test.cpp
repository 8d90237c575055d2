// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/llm_spec.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>

#include "sim/base/error.hpp"
#include "tests/workloads/example_llms.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

/// What check() complains about once `spoil` has had its way with a good model.
std::string complaint(LlmSpec llm, const std::function<void(LlmSpec&)>& spoil) {
  spoil(llm);
  try {
    check(llm);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// One dense layer, two of four experts and two shared ones: small enough to count by hand.
LlmSpec small_moe() {
  return {
      .name = "small",
      .hidden = 8,
      .vocabulary = 100,
      .mixers = {{"attention", AttentionSpec{.heads = 4, .kv_heads = 2, .head_dim = 2}}},
      .layers = dense_then_moe(1, 2),
      .dense_ffn = 32,
      .moe =
          MoeSpec{.experts = 4, .top_k = 2, .expert_ffn = 16, .shared_experts = 2, .shared_ffn = 5},
      .max_context = 64};
}

}  // namespace

TEST_CASE("count_parameters: meets published totals to the last parameter") {
  CHECK(count_parameters(llama_3_70b()).total == 70'553'706'496);
  CHECK(count_parameters(llama_3_1_8b()).total == 8'030'261'248);
  CHECK(count_parameters(mixtral_8x7b()).total == 46'702'792'704);
  CHECK(count_parameters(mixtral_8x7b()).active == 12'879'925'248);
}

TEST_CASE("count_parameters: a dense model uses all its parameters for every token") {
  const ParameterCounts counts = count_parameters(llama_3_70b());
  CHECK(counts.active == counts.total);
  CHECK(counts.routed_experts + counts.shared_experts + counts.router == 0);
}

TEST_CASE("count_parameters: each part is its matrices, and the parts add up to the total") {
  const ParameterCounts counts = count_parameters(small_moe());
  CHECK(counts.attention == 3 * (8 * (4 + 2 + 2) * 2 + 4 * 2 * 8));
  CHECK(counts.dense_ffn == 1 * 3 * 8 * 32);
  CHECK(counts.routed_experts == 2 * 4 * 3 * 8 * 16);
  CHECK(counts.shared_experts == 2 * 2 * 3 * 8 * 5);
  CHECK(counts.router == 2 * 8 * 4);
  CHECK(counts.norms == 3 * 2 * 8 + 8);
  CHECK(counts.embedding == 2 * 100 * 8);
  CHECK(counts.total == counts.attention + counts.dense_ffn + counts.routed_experts +
                            counts.shared_experts + counts.router + counts.norms +
                            counts.embedding);
  CHECK(counts.active == counts.total - counts.routed_experts / 2);  // 2 of 4
}

TEST_CASE("count_parameters: tied embeddings are one table, not two") {
  LlmSpec llm = small_moe();
  const std::int64_t untied = count_parameters(llm).total;
  llm.tied_embeddings = true;
  CHECK(count_parameters(llm).total == untied - 100 * 8);
}

TEST_CASE("kv_bytes_per_token: K and V of every KV head in every layer") {
  LlmSpec llm = llama_3_70b();
  CHECK(kv_bytes_per_token(llm) == 327'680_B);
  CHECK(kv_bytes_per_token_layer(llm, 0) * llm.layer_count() == kv_bytes_per_token(llm));
  llm.kv = Precision::Fp8;
  CHECK(kv_bytes_per_token(llm) == 163'840_B);
}

TEST_CASE("weight_bytes: two bytes per parameter in BF16") {
  const LlmSpec llm = llama_3_70b();
  CHECK(weight_bytes(llm) == Bytes{2 * count_parameters(llm).total});
}

TEST_CASE("weight_bytes: norms and router stay BF16 when the matrices shrink") {
  LlmSpec llm = small_moe();
  llm.weights = Precision::Mxfp4;
  llm.embedding = Precision::Fp8;
  const ParameterCounts counts = count_parameters(llm);
  const std::int64_t small = counts.norms + counts.router;
  const std::int64_t matrices = counts.total - small - counts.embedding;
  CHECK(weight_bytes(llm) == Bytes{div_up(matrices * 17, 32) + 2 * small + counts.embedding});
}

TEST_CASE("active_weight_bytes: one row of the input table and the whole head, tied or not") {
  LlmSpec llm = llama_3_70b();
  const std::int64_t unread = (llm.vocabulary - 1) * llm.hidden;
  CHECK(active_weight_bytes(llm) == weight_bytes(llm) - Bytes{2 * unread});
  const Bytes untied = active_weight_bytes(llm);
  llm.tied_embeddings = true;
  CHECK(active_weight_bytes(llm) == untied);
}

TEST_CASE("active_weight_bytes: of the routed experts the top k") {
  LlmSpec llm = small_moe();
  const Bytes two = active_weight_bytes(llm);
  llm.moe->top_k = 3;
  CHECK(active_weight_bytes(llm) - two == Bytes{2 * 2 * 3 * 8 * 16});  // layers x BF16 x expert
}

TEST_CASE("layer_is_moe: the first layers are dense, the others are not") {
  const LlmSpec llm = small_moe();
  CHECK_FALSE(llm.layer_is_moe(0));
  CHECK(llm.layer_is_moe(1));
  CHECK_FALSE(llama_3_70b().layer_is_moe(79));
}

TEST_CASE("check: accepts what exists") {
  CHECK_NOTHROW(check(llama_3_70b()));
  CHECK_NOTHROW(check(mixtral_8x7b()));
  CHECK_NOTHROW(check(small_moe()));
}

TEST_CASE("check: names the key, the rule and the value of what is wrong") {
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.moe->top_k = 5; }) ==
        "moe.top_k: must be between 1 and 4, got 5");
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.layers.clear(); }).starts_with("layers: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.hidden = -8; }).starts_with("hidden: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.vocabulary = 0; }).starts_with("vocabulary: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.max_context = 0; }).starts_with("max_context: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) { attention_of(m).kv_heads = 3; }) ==
        "attention.kv_heads: must divide attention.heads (4), got 3");
  CHECK(complaint(small_moe(), [](LlmSpec& m) {
          attention_of(m).kv_heads = 8;
        }).starts_with("attention.kv_heads: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) {
          m.moe->shared_ffn = 0;
        }).starts_with("moe.shared_ffn: "));
  CHECK(complaint(small_moe(), [](LlmSpec& m) {
          m.layers = dense_then_moe(3, 0);
        }).starts_with("dense_layers"));
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.dense_ffn = 0; }).starts_with("dense_ffn: "));
  CHECK(complaint(mixtral_8x7b(), [](LlmSpec& m) { m.dense_ffn = 8; }) ==
        "dense_ffn: must be 0 without dense layers (dense_layers, ffn_order), got 8");
  CHECK(complaint(small_moe(), [](LlmSpec& m) { m.moe->shared_experts = 0; }) ==
        "moe.shared_ffn: must be 0 without moe.shared_experts, got 5");
  CHECK(complaint(llama_3_70b(), [](LlmSpec& m) {
          m.layers[3].ffn = FfnKind::Moe;
        }).starts_with("moe: must be there"));
}

TEST_CASE("check: a popularity that is no number is refused") {
  const auto spoil = [](double sigma) {
    return [sigma](LlmSpec& m) { m.moe->routing.popularity_sigma = sigma; };
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(complaint(small_moe(), spoil(-0.1)).starts_with("moe.routing.popularity_sigma: "));
  CHECK(complaint(small_moe(), spoil(kNan)).starts_with("moe.routing.popularity_sigma: "));
  CHECK(complaint(small_moe(), spoil(0.64)).empty());
}

TEST_CASE("check: a size whose count would overflow is refused before it is counted") {
  CHECK(complaint(small_moe(), [](LlmSpec& m) {
          m.hidden = m.moe->expert_ffn = 1 << 20;
          m.moe->experts = 4096;
          m.layers = dense_then_moe(1, 4'095);
        }) == "must have at most 10^16 parameters");
}
