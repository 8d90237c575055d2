// SPDX-License-Identifier: Apache-2.0
// Configs written for this test, and the published ones where they are at hand.
#include "workloads/llm/hf_import.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "sim/base/error.hpp"

using namespace reticle;

namespace {

LlmSpec import(const std::string& text) { return import_hf_config("c.json", text, "m").llm; }

std::string refusal(const std::string& text) {
  try {
    (void)import(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// A dense model with `more` keys.
std::string dense(const std::string& more, const std::string& type = "llama") {
  return R"({"model_type": ")" + type +
         R"(", "num_hidden_layers": 4, "hidden_size": 64,
  "intermediate_size": 128, "vocab_size": 100, "num_attention_heads": 8,
  "num_key_value_heads": 2, "max_position_embeddings": 512, "torch_dtype": "bfloat16")" +
         more + "}";
}

const AttentionSpec& attention(const LlmSpec& llm, std::size_t m = 0) {
  return std::get<AttentionSpec>(llm.mixers.at(m).of);
}

const std::filesystem::path kConfigs = RETICLE_SOURCE_DIR "/../shared/traces/hf_configs";

std::string content(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("import: a dense model, its head size from hidden and heads") {
  const LlmSpec llm = import(dense(""));
  CHECK(llm.layer_count() == 4);
  CHECK(attention(llm).head_dim == 8);
  CHECK(attention(llm).kv_heads == 2);
  CHECK_FALSE(llm.tied_embeddings);
  CHECK(llm.weights == Precision::Bf16);
  CHECK(count_parameters(llm).total ==
        2 * 100 * 64 + 64 + 4 * (64 * (8 + 2 * 2) * 8 + 64 * 64 + 3 * 64 * 128 + 2 * 64));
}

TEST_CASE("import: a head size of its own, and null KV heads for multi-head attention") {
  CHECK(attention(import(dense(R"(, "head_dim": 32)"))).head_dim == 32);
  std::string text = dense("");
  text.replace(text.find(R"("num_key_value_heads": 2)"), 24, R"("num_key_value_heads": null)");
  CHECK(attention(import(text)).kv_heads == 8);
}

TEST_CASE("import: a hidden size that heads do not divide needs their size") {
  const auto with = [](const std::string& more) {
    std::string text = dense(more);
    text.replace(text.find("\"hidden_size\": 64"), 17, "\"hidden_size\": 63");
    return text;
  };
  CHECK(refusal(with("")) ==
        "c.json:1:49: hidden_size: must be a multiple of the 8 heads where head_dim does not say "
        "their size, got 63");
  CHECK(attention(import(with(R"(, "head_dim": 16)"))).head_dim == 16);
}

TEST_CASE("import: a language model nested in another") {
  const LlmSpec llm = import(R"({"model_type": "llama", "text_config": )" + dense("") + "}");
  CHECK(llm.hidden == 64);
}

TEST_CASE("import: expert counts under their five names") {
  struct Case {
    const char* type;
    const char* keys;
    std::int64_t ffn;
  };
  const Case cases[] = {
      {"mixtral", R"(, "num_local_experts": 8, "num_experts_per_tok": 2)", 128},
      {"olmoe", R"(, "num_experts": 8, "num_experts_per_tok": 2)", 128},
      {"glm4_moe",
       R"(, "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32)", 32},
      {"glm4_moe",
       R"(, "num_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32)", 32},
      {"dbrx", R"(, "ffn_config": {"moe_num_experts": 8, "moe_top_k": 2, "ffn_hidden_size": 32})",
       32},
  };
  for (const Case& c : cases) {
    CAPTURE(c.type);
    const LlmSpec llm = import(dense(c.keys, c.type));
    REQUIRE(llm.moe.has_value());
    CHECK(llm.moe->experts == 8);
    CHECK(llm.moe->top_k == 2);
    CHECK(llm.moe->expert_ffn == c.ffn);
    CHECK(llm.layers_with(FfnKind::Moe) == 4);
  }
}

TEST_CASE("import: dense layers first, every second one, or by list") {
  const std::string moe =
      R"(, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32)";
  const auto kinds = [](const LlmSpec& llm) {
    std::string text;
    for (const LayerSpec& l : llm.layers) text += l.ffn == FfnKind::Moe ? 'M' : 'd';
    return text;
  };
  CHECK(kinds(import(dense(moe + R"(, "first_k_dense_replace": 1)", "glm4_moe"))) == "dMMM");
  CHECK(kinds(import(dense(moe + R"(, "decoder_sparse_step": 2)", "qwen3_moe"))) == "dMdM");
  CHECK(kinds(import(dense(moe + R"(, "mlp_only_layers": [0, 3])", "qwen3_moe"))) == "dMMd");
  const std::string llama4 = R"(, "num_local_experts": 8, "num_experts_per_tok": 1,
    "interleave_moe_layer_step": 2, "intermediate_size_mlp": 256, "attention_chunk_size": 64)";
  const LlmSpec llm = import(dense(llama4, "llama4_text"));
  CHECK(kinds(llm) == "dMdM");
  CHECK(llm.dense_ffn == 256);
  CHECK(llm.moe->expert_ffn == 128);
  CHECK(llm.moe->shared_experts == 1);
}

TEST_CASE("import: windows by layer types, and only where the context passes them") {
  const LlmSpec llm = import(dense(R"(, "sliding_window": 16, "layer_types": ["sliding_attention",
    "full_attention", "sliding_attention", "full_attention"])",
                                   "mistral"));
  REQUIRE(llm.mixers.size() == 2);
  CHECK(attention(llm, 1).window == 16);
  CHECK(llm.layers_with(1) == 2);
  CHECK(attention(import(dense(R"(, "sliding_window": 16)", "mistral"))).window == 16);
  CHECK(attention(import(dense(R"(, "sliding_window": 512)", "mistral"))).window == 0);
  CHECK(
      attention(import(dense(R"(, "sliding_window": 16, "use_sliding_window": false)", "mistral")))
          .window == 0);
}

TEST_CASE("import: Qwen's windows are off unless switched on, and then hold in the last layers") {
  const char* window = R"(, "sliding_window": 16, "max_window_layers": 1)";
  for (const char* type : {"qwen2", "qwen3"}) {
    CAPTURE(type);
    const LlmSpec off = import(dense(window, type));
    CHECK(off.mixers.size() == 1);
    CHECK(attention(off).window == 0);
    const LlmSpec on = import(dense(std::string{window} + R"(, "use_sliding_window": true)", type));
    REQUIRE(on.mixers.size() == 2);
    CHECK(on.layers_with(0) == 1);  // layer 0 sees everything
    CHECK(attention(on, 1).window == 16);
  }
  // Which layers of the mixtures slide, their configs do not say.
  CHECK(refusal(dense(std::string{window} +
                          R"(, "use_sliding_window": true, "num_experts": 8,
    "num_experts_per_tok": 2, "moe_intermediate_size": 32)",
                      "qwen3_moe"))
            .find("max_window_layers: windows in some layers need layer_types") !=
        std::string::npos);
  CHECK(refusal(dense(R"(, "sliding_window": 16)")).find("sliding_window: not known to belong") !=
        std::string::npos);
}

TEST_CASE("import: Llama 4's layers as newer versions list them") {
  const LlmSpec llm = import(
      dense(R"(, "num_local_experts": 8, "num_experts_per_tok": 1, "attention_chunk_size": 64,
    "no_rope_layers": [1, 1, 0, 1], "moe_layers": [1, 3], "intermediate_size_mlp": 256,
    "layer_types": ["chunked_attention", "chunked_attention", "full_attention",
                    "chunked_attention"])",
            "llama4_text"));
  REQUIRE(llm.mixers.size() == 2);
  CHECK(llm.layers_with(0) == 3);
  CHECK(attention(llm, 0).chunked);
  CHECK(llm.layer(2).mixer == 1);
  CHECK(attention(llm, 1).window == 0);
  CHECK(llm.layer_is_moe(3));
  CHECK_FALSE(llm.layer_is_moe(2));
}

TEST_CASE("import: every key is read, known to change nothing, or named") {
  const auto with = [](const std::string& more) {
    return import_hf_config("c.json", dense(more), "m").unread;
  };
  CHECK(with(R"(, "rope_theta": 1e6, "eos_token_id": 2, "architectures": ["X"])").empty());
  CHECK(with(R"(, "frobnicate": null, "twist": 0, "turn": false, "list": []  )").empty());
  CHECK(with(R"(, "frobnicate": 3, "twist": {"a": 1})") ==
        std::vector<std::string>{"frobnicate", "twist"});
  CHECK(with(R"(, "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "wobble": 2})") ==
        std::vector<std::string>{"quantization_config.wobble"});
  const ImportedLlm nested = import_hf_config(
      "c.json",
      R"({"model_type": "x", "vision_config": {"a": 1}, "glitter": 1, "text_config": )" +
          dense("") + "}",
      "m");
  CHECK(nested.unread == std::vector<std::string>{"glitter"});
  REQUIRE(nested.notes.size() == 1);
  CHECK(nested.notes[0].starts_with("vision_config: left out"));
  CHECK_THROWS_WITH_AS((void)import_hf_config("c.json", dense(",\n \"frobnicate\": 3"), "m", true),
                       "c.json:4:2: frobnicate: not known here, so it might change bytes or "
                       "operations",
                       ConfigError);
}

TEST_CASE("import: what stands twice, under one name or two, is refused where it stands again") {
  CHECK(refusal("{\n\"a\": 1,\n\"a\": 2}") == "c.json:3:1: a: expected one value, found another");
  CHECK(refusal(R"({"s": {"a\u0062": 1, "ab": 1}})").find("s.ab: expected one value") !=
        std::string::npos);
  CHECK(refusal(R"({"s": [{"a": 1}, {"a": "a, \"a\": {"}]})").find("model_type: missing") !=
        std::string::npos);
  CHECK(refusal("{\"a\": " + std::string(100, '[') + std::string(100, ']') + "}")
            .find("64 brackets") != std::string::npos);
  const std::string moe = R"(, "num_local_experts": 8, "num_experts_per_tok": 2)";
  CHECK(refusal(dense(moe + R"(, "experts_per_token": 2)", "mixtral")).empty());
  CHECK(refusal(dense(moe + R"(, "experts_per_token": 4)", "mixtral"))
            .find("experts_per_token: says 4, but num_experts_per_tok says 2") !=
        std::string::npos);
}

TEST_CASE("import: a figure out of range is named as the config names it, where it stands") {
  const auto with = [](const std::string& from, const std::string& to, const std::string& more = "",
                       const char* type = "llama") {
    std::string text = dense(more, type);
    text.replace(text.find(from), from.size(), to);
    return refusal(text);
  };
  CHECK(with("\"hidden_size\": 64", "\"hidden_size\": 2000000") ==
        "c.json:1:49: hidden_size: must be between 1 and 1048576, got 2000000");
  CHECK(with("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 5000") ==
        "c.json:1:25: num_hidden_layers: must be between 1 and 4096, got 5000");
  CHECK(with("\"intermediate_size\": 128", "\"intermediate_size\": 0")
            .starts_with("c.json:2:3: intermediate_size: must be between 1"));
  CHECK(with("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3")
            .starts_with("c.json:3:3: num_key_value_heads: must divide"));
  CHECK(with("\"max_position_embeddings\": 512", "\"max_position_embeddings\": 0")
            .find("max_position_embeddings: must be") != std::string::npos);
  CHECK(with("x", "x", R"(, "num_local_experts": 8, "num_experts_per_tok": 9)", "mixtral")
            .find("num_experts_per_tok: must be between 1 and 8, got 9") != std::string::npos);
}

TEST_CASE("import: checkpoints of Model Optimizer and compressed-tensors") {
  const auto quantised = [](const std::string& keys) {
    return dense(R"(, "quantization_config": {)" + keys + "}");
  };
  const LlmSpec nv = import(quantised(R"("quant_method": "modelopt", "quant_algo": "NVFP4",
    "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float", "group_size": 16},
                                  "targets": ["Linear"]}},
    "kv_cache_scheme": {"num_bits": 8, "type": "float", "dynamic": false},
    "ignore": ["lm_head"], "producer": {"name": "modelopt", "version": "0.31.0"})"));
  CHECK(nv.weights == Precision::Nvfp4);
  CHECK_FALSE(nv.attention_weights.has_value());
  CHECK(nv.kv == Precision::Fp8);
  CHECK(nv.embedding == Precision::Bf16);
  CHECK(import(quantised(R"("quant_method": "modelopt", "quant_algo": "FP8")")).weights ==
        Precision::Fp8);
  const LlmSpec kept = import(quantised(R"("quant_method": "compressed-tensors",
    "format": "nvfp4-pack-quantized", "ignore": ["lm_head", "re:.*self_attn.*"])"));
  CHECK(kept.weights == Precision::Nvfp4);
  CHECK(kept.attention_weights == Precision::Bf16);
  CHECK(import(quantised(R"("quant_method": "compressed-tensors", "format": "int-quantized",
    "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}, "targets": ["Linear"]}})"))
            .weights == Precision::Int8);
  const auto some =
      import_hf_config("c.json", quantised(R"("quant_method": "modelopt", "quant_algo": "NVFP4",
    "ignore": ["model.layers.0.self_attn*", "model.layers.1.mlp.shared_experts*"])"),
                       "m");
  CHECK_FALSE(some.llm.attention_weights.has_value());
  REQUIRE(some.notes.size() == 2);
  CHECK(some.notes[0].find("in 1 of 4 layers") != std::string::npos);
  CHECK(some.notes[1].find("model.layers.1.mlp.shared_experts*") != std::string::npos);
  const auto refused = [&](const std::string& keys, const char* what) {
    CAPTURE(keys);
    CHECK(refusal(quantised(keys)).find(what) != std::string::npos);
  };
  refused(R"("quant_method": "modelopt", "quant_algo": "W4A8_AWQ")",
          "'modelopt' with quant_algo 'W4A8_AWQ' is not modelled");
  refused(R"("quant_method": "compressed-tensors", "format": "pack-quantized")",
          "'compressed-tensors' with format 'pack-quantized' is not modelled");
  refused(R"("quant_method": "nvfp4")", "'nvfp4' is not modelled");
  refused(R"("quant_method": "compressed-tensors", "format": "float-quantized",
    "config_groups": {"a": {"weights": {"num_bits": 8}}, "b": {"weights": {"num_bits": 4}}})",
          "several formats");
  refused(R"("quant_method": "compressed-tensors", "format": "float-quantized",
    "config_groups": {"a": {"weights": {"num_bits": 4}}})",
          "num_bits: expected 8");
}

TEST_CASE("import: formats a config leaves open are said") {
  const auto notes = [](const std::string& text) {
    std::string all;
    for (const std::string& n : import_hf_config("c.json", text, "m").notes) all += n + "\n";
    return all;
  };
  std::string wide = dense("");
  wide.replace(wide.find("bfloat16"), 8, "float32");
  CHECK(notes(wide).find("fp32, 4 bytes each") != std::string::npos);
  CHECK(import(wide).weights == Precision::Fp32);
  const std::string keys = R"(, "mamba_num_heads": 8, "mamba_head_dim": 4, "n_groups": 2,
    "ssm_state_size": 4, "conv_kernel": 4, "hybrid_override_pattern": "M*E-", "n_routed_experts": 8,
    "num_experts_per_tok": 2, "moe_intermediate_size": 32)";
  CHECK(notes(dense(keys, "nemotron_h")).find("recurrent states is not in the config: bf16") !=
        std::string::npos);
  const std::string said = dense(keys + R"(, "mamba_ssm_dtype": "float32")", "nemotron_h");
  CHECK(notes(said).find("recurrent states") == std::string::npos);
  CHECK(import(said).state == Precision::Fp32);
}

TEST_CASE("import: quantised weights, and what a config keeps out of it") {
  CHECK(import(dense(R"(, "quantization_config": {"quant_method": "fp8"})")).weights ==
        Precision::Fp8);
  const LlmSpec mx = import(dense(R"(, "quantization_config": {"quant_method": "mxfp4",
    "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]})"));
  CHECK(mx.weights == Precision::Mxfp4);
  CHECK(mx.attention_weights == Precision::Bf16);
  CHECK(mx.embedding == Precision::Bf16);
}

TEST_CASE("import: refuses what it does not know, and names it and its place") {
  CHECK(refusal("[1]") == "c.json:1:1: expected a JSON object, the config.json of a model");
  CHECK(refusal("{\n \"a\": }") == "c.json:2:7: expected JSON here");
  CHECK(refusal(std::string{"{}\n\0]", 5}) == "c.json:2:1: expected JSON here");
  CHECK(refusal("{}").find("model_type: missing") != std::string::npos);
  CHECK(refusal(dense("", "martian")).find("'martian' is not one of ") != std::string::npos);
  CHECK(refusal(dense("", "switch_transformers")).find("an encoder") != std::string::npos);
  CHECK(refusal(R"({"model_type": "llama"})")
            .find("hidden_size: missing (hidden_size or d_model "
                  "or n_embd)") != std::string::npos);
  CHECK(refusal(dense(R"(, "kv_lora_rank": 8)")).find("kv_lora_rank: not known") !=
        std::string::npos);
  CHECK(refusal(dense(R"(, "num_kv_shared_layers": 2)")).find("num_kv_shared_layers") !=
        std::string::npos);
  CHECK(refusal(dense(R"(, "num_kv_shared_layers": 0)")).empty());
  CHECK(refusal(dense(R"(, "quantization_config": {"quant_method": "gptq"})")).find("'gptq'") !=
        std::string::npos);
  CHECK(refusal(dense(R"(, "layer_types": ["full_attention"])")).find("one entry per layer") !=
        std::string::npos);
}

TEST_CASE("import: a nested model keeps what its checkpoint says of all") {
  const LlmSpec llm = import(R"({"model_type": "llama", "tie_word_embeddings": true,
    "quantization_config": {"quant_method": "fp8"}, "text_config": )" +
                             dense("") + "}");
  CHECK(llm.tied_embeddings);
  CHECK(llm.weights == Precision::Fp8);
}

TEST_CASE("import: windows without a size, biases nobody counts and steps of nothing are refused") {
  CHECK(refusal(dense(R"(, "layer_types": ["sliding_attention", "full_attention",
    "full_attention", "full_attention"])"))
            .find("sliding_window: missing") != std::string::npos);
  CHECK(refusal(dense(R"(, "mlp_bias": true)")).find("mlp_bias") != std::string::npos);
  const std::string moe =
      R"(, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32)";
  CHECK(refusal(dense(moe + R"(, "decoder_sparse_step": 0)", "qwen3_moe")).find("at least 1") !=
        std::string::npos);
  CHECK(refusal(dense(moe + R"(, "first_k_dense_replace": 9)", "glm4_moe")).find("leaves none") !=
        std::string::npos);
}

TEST_CASE("import: damaged configs are refused or read, and never crash") {
  const std::string good =
      dense(R"(, "num_local_experts": 8, "num_experts_per_tok": 2)", "mixtral");
  std::uint64_t state = 1;
  const auto below = [&](std::size_t bound) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state >> 33) % bound;
  };
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (std::size_t n = 1 + below(4); n > 0; --n) {
      const std::size_t at = below(text.size());
      if (below(3) == 0)
        text.erase(at, 1 + below(8));
      else
        text[at] = "0123456789-+.e\",:{}[]ntf \n\0"[below(28)];
      if (text.empty()) text = "x";
    }
    try {
      (void)import(text);
    } catch (const ConfigError&) {
    }
  }
}

TEST_CASE("import: values of the wrong kind or size are named") {
  const auto with = [](const std::string& value) {
    std::string text = dense("");
    text.replace(text.find("64"), 2, value);
    return refusal(text);
  };
  CHECK(with("\"big\"").find("hidden_size: expected a whole number") != std::string::npos);
  CHECK(with("-1").find("hidden_size: must be between") != std::string::npos);
  CHECK(with("1e300").find("hidden_size: expected a whole number") != std::string::npos);
  CHECK(with("99999999999999999999").find("hidden_size") != std::string::npos);
  CHECK(with("0").find("hidden") != std::string::npos);
  CHECK(with("1000000000000").find("hidden") != std::string::npos);
}

TEST_CASE("published: every config imports with its parameters, or says what is missing") {
  if (!std::filesystem::is_directory(kConfigs)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  std::istringstream table{content(kConfigs / "EXPECTED_PARAMS.csv")};
  std::string line;
  std::getline(table, line);
  int rows = 0;
  while (std::getline(table, line)) {
    std::istringstream cells{line};
    std::string name, total, active, without, kv;
    std::getline(cells, name, ',');
    std::getline(cells, total, ',');
    std::getline(cells, active, ',');
    std::getline(cells, without, ',');
    std::getline(cells, kv, ',');
    CAPTURE(name);
    const ImportedLlm imported = import_hf_config(name, content(kConfigs / (name + ".json")), name);
    CHECK(imported.unread.empty());
    const LlmSpec& llm = imported.llm;
    const ParameterCounts counts = count_parameters(llm);
    CHECK(static_cast<double>(counts.total) == doctest::Approx(std::stod(total)).epsilon(1e-5));
    CHECK(static_cast<double>(counts.active) == doctest::Approx(std::stod(active)).epsilon(1e-4));
    CHECK(kv_bytes_per_token(llm).count() == std::stoll(kv));
    ++rows;
  }
  CHECK(rows == 17);
}

TEST_CASE("published: model cards of those without a computed count, to the card's last digit") {
  if (!std::filesystem::is_directory(kConfigs)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  const auto counts = [](const char* name) {
    return count_parameters(
        import_hf_config(name, content(kConfigs / (std::string{name} + ".json")), name).llm);
  };
  // In billions, and half a unit of the last digit the card has.
  const auto card = [](std::int64_t count, double billions, double half_unit) {
    CHECK(std::abs(static_cast<double>(count) * 1e-9 - billions) <= half_unit);
  };
  // With embeddings: 31.6 and 3.6; 25.2 and 3.8.
  card(counts("Nemotron-3-Nano-30B-A3B").total, 31.6, 0.05);
  card(counts("Nemotron-3-Nano-30B-A3B").active, 3.6, 0.05);
  card(counts("gemma-4-26B-A4B").total, 25.2, 0.05);
  card(counts("gemma-4-26B-A4B").active, 3.8, 0.05);
  // Without: 744 and 40; 456 and 45.9; 80 and 3.
  card(counts("GLM-5").total, 744, 0.5);
  card(counts("GLM-5").active_inside, 40, 0.5);
  card(counts("transcribed__MiniMax-M1").total, 456, 0.5);
  card(counts("transcribed__MiniMax-M1").active_inside, 45.9, 0.05);
  card(counts("Qwen3-Next-80B-A3B").total, 80, 0.5);
  card(counts("Qwen3-Next-80B-A3B").active_inside, 3, 0.5);
}

TEST_CASE("import: projections take what a checkpoint quantises activations to") {
  const auto inputs = [](const std::string& quantisation) {
    return import(dense(R"(, "quantization_config": {)" + quantisation + "}")).linear_inputs;
  };
  CHECK(inputs(R"("quant_method": "fp8", "activation_scheme": "dynamic")") == Precision::Fp8);
  CHECK(inputs(R"("quant_method": "modelopt", "quant_algo": "NVFP4")") == Precision::Nvfp4);
  CHECK_FALSE(inputs(R"("quant_method": "modelopt", "quant_algo": "W4A16_NVFP4")").has_value());
  const std::string group = R"("quant_method": "compressed-tensors", "format": "float-quantized",
    "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8})";
  CHECK_FALSE(inputs(group + R"(, "input_activations": null}})").has_value());
  CHECK(inputs(group + R"(, "input_activations": {"num_bits": 8}}})") == Precision::Fp8);
}
