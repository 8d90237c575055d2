// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/llm_spec.hpp"

#include <string_view>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

std::int64_t count_moe_layers(const LlmSpec& llm) {
  return llm.moe ? llm.layers - llm.dense_layers : 0;
}

/// Gate, up and down projection of a gated feed-forward network.
std::int64_t gated_ffn(const LlmSpec& llm, std::int64_t intermediate) {
  return 3 * llm.hidden * intermediate;
}

std::int64_t attention_per_layer(const LlmSpec& llm) {
  const auto& a = llm.attention;
  const std::int64_t query_and_output = 2 * llm.hidden * a.heads * a.head_dim;
  const std::int64_t key_and_value = 2 * llm.hidden * a.kv_heads * a.head_dim;
  return query_and_output + key_and_value;
}

std::int64_t embedding_table(const LlmSpec& llm) { return llm.vocabulary * llm.hidden; }

std::int64_t active_routed_experts(const LlmSpec& llm) {
  if (!llm.moe) return 0;
  return count_moe_layers(llm) * llm.moe->top_k * gated_ffn(llm, llm.moe->expert_ffn);
}

/// All weights but embedding and head, of which `routed` parameters in routed experts.
Bytes body_bytes(const LlmSpec& llm, const ParameterCounts& counts, std::int64_t routed) {
  const std::int64_t matrices =
      counts.attention + counts.dense_ffn + routed + counts.shared_experts;
  // Norm gains and router logits steer the result out of proportion to their size: published
  // low-precision checkpoints keep both in BF16.
  return bytes_of(matrices, llm.weights) + bytes_of(counts.norms + counts.router, Precision::Bf16);
}

void require(bool ok, std::string_view key, std::string_view rule, std::int64_t found) {
  if (!ok) throw ConfigError{{}, key, std::string{rule} + ", got " + std::to_string(found)};
}

/// Upper limits far above any model: they keep every product of this file inside 64 bits together
/// with kMaxParameters, and catch a slipped unit.
constexpr std::int64_t kMaxLayers = 10'000;
constexpr std::int64_t kMaxWidth = 1 << 24;
constexpr std::int64_t kMaxExperts = 4096;
constexpr std::int64_t kMaxTokens = 1'000'000'000;
constexpr double kMaxParameters = 1e16;

void require_between(std::string_view key, std::int64_t value, std::int64_t low,
                     std::int64_t high) {
  require(low <= value && value <= high, key,
          "must be between " + std::to_string(low) + " and " + std::to_string(high), value);
}

void check_attention(const AttentionSpec& attention) {
  require_between("attention.heads", attention.heads, 1, kMaxWidth);
  require_between("attention.kv_heads", attention.kv_heads, 1, attention.heads);
  require(attention.heads % attention.kv_heads == 0, "attention.kv_heads",
          "must divide attention.heads (" + std::to_string(attention.heads) + ")",
          attention.kv_heads);
  require_between("attention.head_dim", attention.head_dim, 1, kMaxWidth);
}

void check_moe(const MoeSpec& moe) {
  require_between("moe.experts", moe.experts, 1, kMaxExperts);
  require_between("moe.top_k", moe.top_k, 1, moe.experts);
  require_between("moe.expert_ffn", moe.expert_ffn, 1, kMaxWidth);
  require_between("moe.shared_experts", moe.shared_experts, 0, kMaxExperts);
  const std::int64_t least_shared_ffn = moe.shared_experts > 0 ? 1 : 0;
  const std::int64_t most_shared_ffn = moe.shared_experts > 0 ? kMaxWidth : 0;
  require_between("moe.shared_ffn", moe.shared_ffn, least_shared_ffn, most_shared_ffn);
  // Above 5 the mean of the lognormal is 10^5 times its median: one expert takes everything.
  if (!(moe.popularity_sigma >= 0.0 && moe.popularity_sigma <= 5.0))
    throw ConfigError{{},
                      "moe.popularity_sigma",
                      "must be between 0 and 5, got " + std::to_string(moe.popularity_sigma)};
}

void check_layers(const LlmSpec& llm) {
  if (llm.moe) {
    require_between("dense_layers", llm.dense_layers, 0, llm.layers - 1);
  } else {
    require(llm.dense_layers == 0 || llm.dense_layers == llm.layers, "dense_layers",
            "must equal layers (" + std::to_string(llm.layers) + ") in a model without moe",
            llm.dense_layers);
  }
  const bool some_are_dense = !llm.moe || llm.dense_layers > 0;
  require_between("dense_ffn", llm.dense_ffn, some_are_dense ? 1 : 0,
                  some_are_dense ? kMaxWidth : 0);
}

/// Parameters in floating point: shows that the exact integer count will not overflow.
double approximate_parameters(const LlmSpec& llm) {
  const auto number = [](std::int64_t n) { return static_cast<double>(n); };
  const double heads = number(llm.attention.heads + llm.attention.kv_heads);
  double width = 2 * heads * number(llm.attention.head_dim) + 3 * number(llm.dense_ffn);
  if (llm.moe) {
    const auto& moe = *llm.moe;
    width += number(moe.experts) * (3 * number(moe.expert_ffn) + 1);
    width += 3 * number(moe.shared_experts) * number(moe.shared_ffn);
  }
  return number(llm.hidden) * (number(llm.layers) * (width + 2) + 2 * number(llm.vocabulary) + 1);
}

}  // namespace

ParameterCounts count_parameters(const LlmSpec& llm) {
  const std::int64_t moe_layers = count_moe_layers(llm);
  ParameterCounts counts;
  counts.attention = llm.layers * attention_per_layer(llm);
  counts.dense_ffn = (llm.layers - moe_layers) * gated_ffn(llm, llm.dense_ffn);
  if (llm.moe) {
    const auto& moe = *llm.moe;
    counts.routed_experts = moe_layers * moe.experts * gated_ffn(llm, moe.expert_ffn);
    counts.shared_experts = moe_layers * moe.shared_experts * gated_ffn(llm, moe.shared_ffn);
    counts.router = moe_layers * moe.experts * llm.hidden;
  }
  counts.norms = (2 * llm.layers + 1) * llm.hidden;
  counts.embedding = (llm.tied_embeddings ? 1 : 2) * embedding_table(llm);
  counts.total = counts.attention + counts.dense_ffn + counts.routed_experts +
                 counts.shared_experts + counts.router + counts.norms + counts.embedding;
  counts.active = counts.total - counts.routed_experts + active_routed_experts(llm);
  return counts;
}

Bytes kv_bytes_per_token_layer(const LlmSpec& llm) {
  return bytes_of(2 * llm.attention.kv_heads * llm.attention.head_dim, llm.kv);
}

Bytes kv_bytes_per_token(const LlmSpec& llm) { return llm.layers * kv_bytes_per_token_layer(llm); }

Bytes weight_bytes(const LlmSpec& llm) {
  const ParameterCounts counts = count_parameters(llm);
  return body_bytes(llm, counts, counts.routed_experts) + bytes_of(counts.embedding, llm.embedding);
}

Bytes active_weight_bytes(const LlmSpec& llm) {
  // Tied or not, the head streams a whole table; the input side gathers one row.
  return body_bytes(llm, count_parameters(llm), active_routed_experts(llm)) +
         bytes_of(embedding_table(llm) + llm.hidden, llm.embedding);
}

void check(const LlmSpec& llm) {
  require_between("layers", llm.layers, 1, kMaxLayers);
  require_between("hidden", llm.hidden, 1, kMaxWidth);
  require_between("vocabulary", llm.vocabulary, 1, kMaxTokens);
  require_between("max_context", llm.max_context, 1, kMaxTokens);
  check_attention(llm.attention);
  if (llm.moe) check_moe(*llm.moe);
  check_layers(llm);
  if (approximate_parameters(llm) > kMaxParameters)
    throw ConfigError{{}, "", "must have at most 10^16 parameters"};
}

}  // namespace reticle
