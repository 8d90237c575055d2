// SPDX-License-Identifier: Apache-2.0
// The shipped models reach the totals they state. Read here with yaml-cpp alone: the library that
// reads configurations for the program has tests of its own.
#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/workloads/example_llms.hpp"
#include "workloads/llm/llm_spec.hpp"
#include "workloads/moe/expert_router.hpp"

using namespace reticle;

namespace {

YAML::Node load(const std::string& name) {
  return YAML::LoadFile(RETICLE_SOURCE_DIR "/configs/llms/" + name + ".yaml");
}

/// A leaf is a scalar, or a map with its value, source and confidence.
template <class T>
T leaf(const YAML::Node& node) {
  REQUIRE(node.IsDefined());
  return (node.IsMap() ? node["value"] : node).as<T>();
}

Precision precision(const YAML::Node& node) {
  const auto found = precision_of(leaf<std::string>(node));
  REQUIRE(found.has_value());
  return *found;
}

LlmSpec to_spec(const YAML::Node& node) {
  LlmSpec llm;
  llm.name = leaf<std::string>(node["name"]);
  llm.hidden = leaf<std::int64_t>(node["hidden"]);
  llm.vocabulary = leaf<std::int64_t>(node["vocabulary"]);
  llm.mixers = {
      {"attention", AttentionSpec{.heads = leaf<std::int64_t>(node["attention"]["heads"]),
                                  .kv_heads = leaf<std::int64_t>(node["attention"]["kv_heads"]),
                                  .head_dim = leaf<std::int64_t>(node["attention"]["head_dim"])}}};
  llm.dense_ffn = leaf<std::int64_t>(node["dense_ffn"]);
  const auto layers = leaf<std::int64_t>(node["layers"]);
  const auto dense = leaf<std::int64_t>(node["dense_layers"]);
  llm.layers = dense_then_moe(dense, layers - dense);
  if (const YAML::Node moe = node["moe"])
    llm.moe = MoeSpec{.experts = leaf<std::int64_t>(moe["experts"]),
                      .top_k = leaf<std::int64_t>(moe["top_k"]),
                      .expert_ffn = leaf<std::int64_t>(moe["expert_ffn"]),
                      .shared_experts = leaf<std::int64_t>(moe["shared_experts"]),
                      .shared_ffn = leaf<std::int64_t>(moe["shared_ffn"]),
                      .popularity_sigma = leaf<double>(moe["popularity_sigma"])};
  llm.tied_embeddings = leaf<bool>(node["tied_embeddings"]);
  llm.max_context = leaf<std::int64_t>(node["max_context"]);
  llm.weights = precision(node["weights"]);
  llm.embedding = precision(node["embedding"]);
  llm.activations = precision(node["activations"]);
  llm.kv = precision(node["kv"]);
  return llm;
}

double relative_error(std::int64_t found, std::int64_t stated) {
  return std::abs(static_cast<double>(found) / static_cast<double>(stated) - 1.0);
}

void check_confidence(const YAML::Node& node) {
  static const std::set<std::string> kWords{"datasheet", "measured",     "claim",   "estimate",
                                            "derived",   "extrapolated", "recalled"};
  if (!node.IsMap()) return;
  if (node["value"] || node["source"]) {
    CHECK_FALSE(node["source"].as<std::string>().empty());
    CHECK(kWords.count(node["confidence"].as<std::string>()) == 1);
    return;
  }
  for (const auto& member : node) check_confidence(member.second);
}

const std::vector<std::string> kNames{"claude-class-low", "claude-class-mid", "claude-class-high",
                                      "llama-3-70b"};

}  // namespace

TEST_CASE("configs/llms: every model is sound and named like its file") {
  for (const auto& name : kNames) {
    CAPTURE(name);
    const LlmSpec llm = to_spec(load(name));
    CHECK(llm.name == name);
    CHECK_NOTHROW(check(llm));
  }
}

TEST_CASE("configs/llms: computed totals are within 0.3 % of the stated ones") {
  constexpr double kTolerance = 0.003;
  for (const auto& name : kNames) {
    CAPTURE(name);
    const YAML::Node node = load(name);
    const ParameterCounts counts = count_parameters(to_spec(node));
    const auto total = leaf<std::int64_t>(node["stated"]["total_parameters"]);
    const auto active = leaf<std::int64_t>(node["stated"]["active_parameters"]);
    CHECK(relative_error(counts.total, total) < kTolerance);
    CHECK(relative_error(counts.active, active) < kTolerance);
  }
}

TEST_CASE("configs/llms: every figure has a source and a confidence, its own or the file's") {
  for (const auto& name : kNames) {
    CAPTURE(name);
    const YAML::Node node = load(name);
    REQUIRE(node["provenance"].IsDefined());
    check_confidence(node);
  }
}

TEST_CASE("configs/llms: llama-3-70b is the published architecture") {
  const LlmSpec file = to_spec(load("llama-3-70b"));
  CHECK(count_parameters(file).total == count_parameters(llama_3_70b()).total);
  CHECK(kv_bytes_per_token(file) == kv_bytes_per_token(llama_3_70b()));
  CHECK(weight_bytes(file) == weight_bytes(llama_3_70b()));
}

TEST_CASE("configs/llms: the skew of the Claude class spreads loads as measured") {
  constexpr double kMeasuredCv = 0.71;  // gpt-oss-20b, top-4 of 32 [docs/workloads.md "Routing"]
  LlmSpec measured = to_spec(load("claude-class-mid"));
  measured.moe->experts = 32;
  measured.moe->top_k = 4;
  const ExpertRouter router{measured, 1};
  constexpr std::int64_t kTokens = 4000;
  double sum = 0;
  std::int64_t layers = 0;
  for (std::int64_t layer = 0; layer < measured.layer_count(); ++layer) {
    if (!measured.layer_is_moe(layer)) continue;
    ++layers;
    std::vector<std::int32_t> loads(32);
    router.add_loads(RequestId{1}, 0, kTokens, layer, loads);
    constexpr double kMean = kTokens * 4 / 32.0;
    double variance = 0;
    for (const std::int32_t load_of_one : loads) variance += std::pow(load_of_one - kMean, 2) / 32;
    sum += std::sqrt(variance) / kMean;
  }
  const double cv = sum / static_cast<double>(layers);
  CHECK(cv == doctest::Approx(kMeasuredCv).epsilon(0.05));
}
