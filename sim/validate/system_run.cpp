// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/system_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/base/rng.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

namespace {
using Names = std::pair<std::string_view, std::string_view>;

/// Measured name, catalogue name.
constexpr std::array kPlatforms{
    Names{"H100-SXM5-80GB", "h100-8"}, Names{"H200-SXM-141GB", "h200-8"},
    Names{"H800-SXM5", "h800-8"},      Names{"A100-SXM4-80GB", "a100-8"},
    Names{"B200-SXM-180GB", "b200-8"}, Names{"MI300X", "mi300x-8"},
    Names{"MI355X", "mi355x-8"},       Names{"SambaNova-SN40L", "sn40l"}};

/// Whatever generation of the same shape: 3, 3.1 and 3.3 differ in training and context alone.
constexpr std::array kModels{
    Names{"Llama-3.3-70B", "llama-3-70b"},  Names{"Llama-3.3-70B-Instruct", "llama-3-70b"},
    Names{"Llama-3.1-70B", "llama-3-70b"},  Names{"Meta-Llama-3-70B", "llama-3-70b"},
    Names{"Llama-3.1-8B", "llama-3-8b"},    Names{"Llama-3.1-8B-Instruct", "llama-3-8b"},
    Names{"Meta-Llama-3-8B", "llama-3-8b"}, Names{"Llama-3.1-405B", "llama-3.1-405b"},
    Names{"DeepSeek-R1", "deepseek-r1"},    Names{"DeepSeek-R1-0528", "deepseek-r1"},
    Names{"DeepSeek-V3", "deepseek-v3"},    Names{"DeepSeek-V3.1", "deepseek-v3"},
    Names{"Qwen3-32B", "qwen3-32b"},        Names{"gpt-oss-20b", "gpt-oss-20b"}};

/// Beginning of a framework's name, the serving policy that stands for it.
constexpr std::array kStacks{Names{"TensorRT-LLM", "tensorrt-llm"},
                             Names{"trt", "tensorrt-llm"},
                             Names{"NIM", "tensorrt-llm"},
                             Names{"vllm", "vllm"},
                             Names{"vLLM", "vllm"},
                             Names{"sglang", "sglang"},
                             Names{"SGLang", "sglang"}};

/// Formats as benchmarks write them, ours.
constexpr std::array kFormats{
    Names{"bf16", "bf16"},   Names{"bfloat16", "bf16"}, Names{"fp16", "bf16"},
    Names{"fp8", "fp8"},     Names{"fp4", "nvfp4"},     Names{"nvfp4", "nvfp4"},
    Names{"mxfp4", "mxfp4"}, Names{"mxfp8", "fp8"}};  // block scales at the rate of FP8

template <class Table>
std::optional<std::string> find(const Table& table, std::string_view name) {
  const auto row = std::ranges::find(table, name, &Names::first);
  return row == table.end() ? std::nullopt : std::optional{std::string{row->second}};
}

/// What stands for a measured name, or the catalogue's own.
template <class Table>
std::optional<std::string> named(const Table& table, CatalogueKind kind, const std::string& name) {
  const auto names = catalogue_names(kind);
  return std::ranges::count(names, name) > 0 ? std::optional{name} : find(table, name);
}

/// No length, number of clients or of chips is longer; doubled it still fits.
constexpr std::int64_t kMostCounted = 1'000'000'000'000;

/// The whole number at the end of `text` behind `word`, "8" of "TP8 EP1" for "TP".
std::optional<std::int64_t> number_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + word.size());
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  const bool told = error == std::errc{} && value <= kMostCounted;
  return told ? std::optional{value} : std::nullopt;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool told =
      error == std::errc{} && end == text.data() + text.size() && value <= kMostCounted;
  return told ? std::optional{value} : std::nullopt;
}

/// None where it is not told.
std::int64_t chips_of(const Table::Row& row) {
  const double chips = row.number("n_chips").value_or(0);
  if (!(chips >= 0 && chips <= static_cast<double>(kMostCounted)))
    row.fail("n_chips", "expected a number of chips");
  return static_cast<std::int64_t>(chips);
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts{""};
  for (const char c : text) c == '/' ? parts.emplace_back() : parts.back() += c;
  return parts;
}

/// A format as a part of a row's precision names it: of "a-or-b" and "a or b" the first.
std::optional<std::string> format_of(std::string_view part) {
  for (const std::string_view other : {"-or-", " or "}) part = part.substr(0, part.find(other));
  return find(kFormats, part);
}

constexpr const char* kAttentionBf16 = "llm.attention_weights=bf16";

/// weights/inputs/cache; what is not said of the cache is BF16. Empty: it cannot be told.
/// "nvfp4 MoE / bf16 attn": those of experts and of attention. "a/moe a": experts as the rest.
std::vector<std::string> format_sets(const SystemRun& run) {
  const std::string_view precision = run.precision;
  if (precision == "nvfp4 MoE / bf16 attn")
    return {"llm.weights=nvfp4", "llm.linear_inputs=nvfp4", "llm.kv=bf16", kAttentionBf16};
  std::vector<std::string> parts = parts_of(precision);
  if (parts.size() == 2 && parts[1] == "moe " + parts[0]) parts.pop_back();
  const auto weights = format_of(parts[0]);
  const auto inputs = parts.size() > 1 ? format_of(parts[1]) : weights;
  const auto cache = parts.size() > 2 ? format_of(parts[2]) : std::optional<std::string>{"bf16"};
  if (parts.size() > 3 || !weights || !inputs || !cache) return {};  // weights/inputs/cache
  std::vector<std::string> sets{"llm.weights=" + *weights, "llm.linear_inputs=" + *inputs,
                                "llm.kv=" + *cache};
  // NVIDIA's FP4 checkpoints of DeepSeek keep attention in BF16 [TensorRT-LLM, tech_blog1,
  // Precision Strategy; NVIDIA/Model-Optimizer issue 150].
  if (*weights == "nvfp4" && run.model.starts_with("DeepSeek")) sets.emplace_back(kAttentionBf16);
  return sets;
}

/// "TP8", "TP4 EP4", "attnDP8 EP8" (attention of other sequences on every GPU), "DEP4" (both).
/// What is not said, or 0, is 1, of TP all chips. Empty: it cannot be told.
std::vector<std::string> plan_sets(std::string_view parallelism, std::int64_t chips) {
  // Replicas and cuts of an expert follow from the others.
  constexpr std::array<std::string_view, 6> kWords{"TP", "EP", "attnDP", "DEP", "DP", "moeTP"};
  std::array<std::int64_t, kWords.size()> told{};
  while (!parallelism.empty()) {
    const std::string_view word = parallelism.substr(0, parallelism.find(' '));
    parallelism.remove_prefix(std::min(parallelism.size(), word.size() + 1));
    const std::size_t digits = std::min(word.find_first_of("0123456789"), word.size());
    const auto known = std::ranges::find(kWords, word.substr(0, digits));
    const auto size = whole(word.substr(digits));
    if (known == kWords.end() || !size) return {};
    told[static_cast<std::size_t>(known - kWords.begin())] = *size;
  }
  const auto [tensor, expert, spread, both, data, of_expert] = told;
  const bool own_attention = spread > 0 || both > 0;
  const std::int64_t tp = own_attention ? 1 : tensor > 0 ? tensor : chips;
  return {"placement.pipeline_parallel=1", fmt::format("placement.tensor_parallel={}", tp),
          fmt::format("placement.expert_parallel={}", std::max<std::int64_t>({1, expert, both}))};
}

/// Prompts of ml-energy's chat runs, histories of conversations, are not told; memory bounds them.
/// Two B200 runs keep batches of 1,022 and 2,043 full: 90 % of memory less weights and some 10 GB
/// per GPU of activations and graphs has room for 510 tokens of each sequence. Two H100 runs, full
/// at 691 and 724 of 768 allowed, say the same. Lengths being even between none and twice the mean
/// of 400, 265 of these are the sequence's own output so far.
constexpr std::int64_t kChatPrompt = 250;
/// "All requests queued": twice as many move no row by half a percent.
constexpr std::int64_t kMany = 1024;
/// Prompt tokens a step may carry: the default of vLLM (max_num_batched_tokens), TensorRT-LLM
/// (max_num_tokens) and SGLang (chunked_prefill_size) on these GPUs.
constexpr std::int64_t kPromptTokens = 8192;

void put_lengths(const SystemRun& run, SystemCase& system) {
  auto clients = whole(run.concurrency);
  if (clients && *clients < 1) clients.reset();
  const auto input = whole(run.input), output = whole(run.output);
  if (input && output && (clients || run.concurrency.starts_with("max throughput"))) {
    system.clients = clients.value_or(kMany);
    system.input = *input;
    system.output = *output;
    if (run.family == "inferencemax") {
      // Ten prompts for each of a client's places [InferenceMAX benchmark_serving].
      system.turns = 10;
      constexpr double kRangeRatio = 0.8;  // its --random-range-ratio [InferenceMAX]
      system.shortest = kRangeRatio;
    }
    return;
  }
  const auto batch = number_behind(run.concurrency, "avg batch ");
  const auto mean = number_behind(run.output, "");
  if (!batch || !mean) {
    system.left_out = "lengths or concurrency are not told as numbers";
    return;
  }
  // Lengths are even between none and twice the mean.
  system.clients = *batch;
  system.queued = true;
  system.input = 2 * kChatPrompt;
  system.output = 2 * *mean;
  system.shortest = 0;
}
/// Drafts of the model's own prediction heads: "MTP3", but not "no MTP" or an ablation without.
bool speculates(const SystemRun& run) {
  const auto says = [](std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  if (says(run.id, "mtp") || says(run.id, "MTP")) return true;
  return says(run.notes, "MTP") && !says(run.notes, "no MTP");
}
}  // namespace

std::string stack_of(const std::string& framework) {
  const auto row = std::ranges::find_if(
      kStacks, [&](const Names& stack) { return framework.starts_with(stack.first); });
  return row == kStacks.end() ? std::string{} : std::string{row->second};
}

std::vector<SystemRun> system_runs(const Table& table) {
  std::vector<SystemRun> runs;
  std::map<std::string, std::size_t, std::less<>> known;
  for (const Table::Row& row : table.rows()) {
    const auto text = [&](std::string_view column) { return std::string{row.text(column)}; };
    const auto [at, fresh] = known.try_emplace(text("run_id"), runs.size());
    if (fresh)
      runs.push_back({.id = text("run_id"),
                      .platform = text("platform"),
                      .model = text("model"),
                      .precision = text("precision"),
                      .parallelism = text("parallelism"),
                      .framework = text("framework"),
                      .family = text("family"),
                      .quality = text("quality"),
                      .source = text("source"),
                      .input = text("input_len"),
                      .output = text("output_len"),
                      .concurrency = text("concurrency"),
                      .notes = text("notes"),
                      .chips = chips_of(row),
                      .measured = {}});
    const auto value = row.number("value");
    if (!value || !(*value > 0)) row.fail("value", "expected a number above 0");
    if (!runs[at->second].measured.emplace(text("metric"), *value).second)
      row.fail("metric", "run " + text("run_id") + " has it already");
  }
  return runs;
}

SystemCase case_of(const SystemRun& run) {
  SystemCase system;
  const auto leave = [&](std::string why) {
    system.left_out = std::move(why);
    return system;
  };
  const auto platform = named(kPlatforms, CatalogueKind::Platform, run.platform);
  const auto model = named(kModels, CatalogueKind::Llm, run.model);
  if (!platform) return leave("no platform for " + run.platform);
  if (!model) return leave("no model for " + run.model);
  if (run.chips < 1) return leave("n_chips is not told");
  if (run.chips > 8) return leave("more than one node of eight");  // of these nodes
  if (run.quality == "C")
    return leave("a claim or an average, not a measurement of a configuration");
  if (speculates(run)) return leave("speculative decoding with an acceptance that is not told");
  const std::vector<std::string> formats = format_sets(run);
  if (formats.empty()) return leave("formats '" + run.precision + "' are not told");
  RunRequest& request = system.request;
  request.platform = *platform;
  request.llm = *model;
  request.workload = "steady-decode";
  const std::string stack = stack_of(run.framework);
  if (!stack.empty()) request.serving = run.platform.starts_with("MI") ? stack + "-rocm" : stack;
  request.sets = {fmt::format("platform.packages_per_node={}", run.chips),
                  "platform.energy.package_static_w=0",  // of the host; energies are of GPUs
                  "placement.latent_cache=copied",       // as all of these stacks have it
                  fmt::format("serving.prefill_tokens={}", kPromptTokens),
                  "serving.admission=on-demand",
                  "serving.prefix_cache=off"};
  request.sets.insert(request.sets.end(), formats.begin(), formats.end());
  const auto plan = plan_sets(run.parallelism, run.chips);
  if (plan.empty()) return leave("parallelism '" + run.parallelism + "' is not told");
  request.sets.insert(request.sets.end(), plan.begin(), plan.end());
  put_lengths(run, system);
  request.sets.push_back(
      fmt::format("placement.plan_batch={}", std::max<std::int64_t>(1, system.clients)));
  constexpr std::int64_t kNoQueue = 4096;  // more than any row has clients
  request.sets.push_back(
      fmt::format("serving.max_batch={}", system.queued ? system.clients : kNoQueue));
  return system;
}

Trace clients_trace(const SystemCase& system, std::int64_t turns) {
  Trace trace;
  trace.path = "clients";
  trace.format = "made";
  RngStream lengths{1, "validate/clients"};
  const auto draw = [&](std::int64_t nominal) {
    const double share = system.shortest + (1 - system.shortest) * lengths.uniform();
    return std::max<std::int64_t>(1, std::llround(share * static_cast<double>(nominal)));
  };
  // Of a queue, which is left before its end, more than will be begun.
  const std::int64_t rounds = system.queued ? 2 * turns : turns;
  for (std::int64_t turn = 0; turn < rounds; ++turn)
    for (std::int64_t client = 0; client < system.clients; ++client) {
      Request request;
      request.id = RequestId{trace.requests.size()};
      request.input_tokens = draw(system.input);
      request.output_tokens = draw(system.output);
      if (!system.queued) {
        request.session = static_cast<std::uint64_t>(client);
        request.turn = turn;
        if (turn > 0) request.pause = Picoseconds{0};
      }
      trace.requests.push_back(request);
    }
  return trace;
}

}  // namespace reticle
