// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_llm.hpp"

#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"

namespace reticle {

namespace {
constexpr Range<std::int64_t> kWidth{1, 1 << 20};  // of a matrix, in elements
constexpr Range<std::int64_t> kWidthOrNone{0, 1 << 20};

AttentionSpec read_attention(const ConfigNode& node) {
  const AttentionSpec attention{
      .heads = node.get<std::int64_t>("heads", kWidth),
      .kv_heads = node.get<std::int64_t>("kv_heads", kWidth),
      .head_dim = node.get<std::int64_t>("head_dim", kWidth),
  };
  node.reject_unknown_keys();
  return attention;
}

MoeSpec read_moe(const ConfigNode& node) {
  const MoeSpec defaults;
  const MoeSpec moe{
      .experts = node.get<std::int64_t>("experts", bounds::kCount),
      .top_k = node.get<std::int64_t>("top_k", bounds::kCount),
      .expert_ffn = node.get<std::int64_t>("expert_ffn", kWidth),
      .shared_experts =
          node.get<std::int64_t>("shared_experts", defaults.shared_experts, {0, 1024}),
      .shared_ffn = node.get<std::int64_t>("shared_ffn", defaults.shared_ffn, kWidthOrNone),
      .popularity_sigma =
          node.get<double>("popularity_sigma", defaults.popularity_sigma, {0.0, 10.0}),
  };
  node.check("top_k", moe.top_k <= moe.experts, "must not exceed experts");
  node.reject_unknown_keys();
  return moe;
}

/// Published totals, kept for comparison with the count from the architecture.
void read_stated(const ConfigNode& node) {
  (void)node.find<double>("total_parameters");
  (void)node.find<double>("active_parameters");
  node.reject_unknown_keys();
}

/// The rules of the architecture live with LlmSpec ("key: rule, got value"); here they get a place
/// in a file.
void check_at(const ConfigNode& node, const LlmSpec& llm) {
  try {
    check(llm);
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    const auto colon = what.find(": ");
    if (colon == std::string::npos) throw ConfigError(node.position_of(""), node.path(), what);
    node.fail(what.substr(0, colon), what.substr(colon + 2));
  }
}
}  // namespace

LlmSpec read_llm(const ConfigNode& node) {
  const LlmSpec defaults;
  (void)node.get<std::string>("title", "");
  LlmSpec llm{
      .name = node.get<std::string>("name"),
      .layers = node.get<std::int64_t>("layers", {1, 4096}),
      .hidden = node.get<std::int64_t>("hidden", kWidth),
      .vocabulary = node.get<std::int64_t>("vocabulary", {1, 1 << 24}),
      .attention = read_attention(node.child("attention")),
      .dense_ffn = node.get<std::int64_t>("dense_ffn", defaults.dense_ffn, kWidthOrNone),
      .dense_layers = node.get<std::int64_t>("dense_layers", defaults.dense_layers, {0, 4096}),
      .moe = {},
      .tied_embeddings = node.get<bool>("tied_embeddings", defaults.tied_embeddings),
      .max_context = node.get<std::int64_t>("max_context", bounds::kTokens),
      .weights = node.get<Precision>("weights", defaults.weights),
      .embedding = node.get<Precision>("embedding", defaults.embedding),
      .activations = node.get<Precision>("activations", defaults.activations),
      .kv = node.get<Precision>("kv", defaults.kv),
  };
  if (const auto moe = node.find_child("moe")) llm.moe = read_moe(*moe);
  if (const auto stated = node.find_child("stated")) read_stated(*stated);
  node.reject_unknown_keys();
  check_at(node, llm);
  return llm;
}

}  // namespace reticle
