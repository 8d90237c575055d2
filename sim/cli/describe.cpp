// SPDX-License-Identifier: Apache-2.0
// reticle describe platform|llm|workload NAME
#include "sim/cli/describe.hpp"

#include <fmt/format.h>

#include <memory>

#include "sim/cli/command.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/text_format.hpp"
#include "workloads/llm/llm_spec.hpp"
#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

namespace {

void print_json(const std::vector<Fact>& facts) {
  nlohmann::ordered_json document;
  for (const Fact& fact : facts) {
    if (fact.key.empty()) continue;
    auto& place = document[fact.section][fact.key];
    if (fact.key != "claim") {
      place = fact.value;
    } else if (fact.value.is_string()) {
      document[fact.section]["stated_claims"].push_back(fact.value);
    } else {
      place = fact.value;
    }
  }
  fmt::print("{}\n", document.dump(2));
}

void print_text(const std::vector<Fact>& facts) {
  std::string section;
  for (const Fact& fact : facts) {
    if (fact.text.empty()) continue;
    if (fact.section != section) fmt::print("{}{}\n", section.empty() ? "" : "\n", fact.section);
    section = fact.section;
    fmt::print("  {:<22} {}\n", fact.label, fact.text);
  }
}

void print(const std::vector<Fact>& facts, bool json) {
  json ? print_json(facts) : print_text(facts);
}

std::vector<Fact> describe(const WorkloadSpec& workload) {
  if (const auto* steady = std::get_if<SteadyDecode>(&workload))
    return {{"workload", "kind", "kind", "steady decode", "steady-decode"},
            {"workload", "batch", "batch", std::to_string(steady->batch), steady->batch},
            {"workload", "context", "context", fmt::format("{} tokens", steady->context),
             steady->context},
            {"workload", "steps", "steps", std::to_string(steady->steps), steady->steps}};
  const auto& trace = std::get<TraceWorkload>(workload);
  return {
      {"workload", "kind", "kind", "request trace", "trace"},
      {"workload", "path", "file", trace.path, trace.path},
      {"workload", "rate_scale", "rate scale", number_text(trace.rate_scale), trace.rate_scale}};
}

struct Options {
  std::string name;
  std::vector<std::string> sets;
  bool json = false;
};

template <class Describe>
void add_kind(CLI::App& parent, const char* kind, const char* example, Describe describe_one) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = parent.add_subcommand(kind, fmt::format("Describe a {}", kind));
  sub->add_option("name", options->name, "Catalogue name or YAML file")->required();
  sub->add_option("--set", options->sets, fmt::format("{}.key=value", kind))
      ->take_all()
      ->allow_extra_args(false);
  sub->add_flag("--json", options->json, "Print one JSON document");
  sub->footer(fmt::format("Example: reticle describe {} {}", kind, example));
  sub->callback([options, describe_one] {
    print(describe_one(options->name, options->sets), options->json);
  });
}

std::string mixer_text(const AttentionSpec& a) {
  std::string text =
      fmt::format("{} heads, {} KV heads, head size {}", a.heads, a.kv_heads, a.head_dim);
  if (a.window > 0) text += fmt::format(", {} of {}", a.chunked ? "chunks" : "window", a.window);
  if (a.sink_tokens > 0) text += fmt::format(", {} sinks", a.sink_tokens);
  return text;
}

std::string mixer_text(const LatentAttentionSpec& a) {
  std::string text =
      fmt::format("latent, {} heads, cache of {} + {} per token", a.heads, a.kv_rank, a.rope_dim);
  if (a.index_heads > 0) text += fmt::format(", best {} by an indexer", a.index_topk);
  return text;
}

std::string mixer_text(const RecurrentSpec& r) {
  return fmt::format("{}, {} heads with a state of {} x {}", fact_of(r.kind).name, r.heads,
                     r.key_dim, r.value_dim);
}

Fact describe_mixer(const LlmSpec& llm, std::size_t m) {
  const Mixer& mixer = llm.mixers[m];
  const std::int64_t layers = llm.layers_with(static_cast<std::int64_t>(m));
  std::string text = std::visit([](const auto& spec) { return mixer_text(spec); }, mixer.of);
  if (layers < llm.layer_count()) text += fmt::format("; {} layers", layers);
  nlohmann::ordered_json value{{"layers", layers}};
  if (const auto* a = std::get_if<AttentionSpec>(&mixer.of)) {
    value["heads"] = a->heads;
    value["kv_heads"] = a->kv_heads;
    value["head_dim"] = a->head_dim;
    if (a->window > 0) value["window"] = a->window;
  }
  return {"model", mixer.name, mixer.name, text, value};
}

}  // namespace

std::vector<Fact> describe(const LlmSpec& llm) {
  const ParameterCounts n = count_parameters(llm);
  std::vector<Fact> facts{{"model", "name", "name", llm.name, llm.name}};
  const auto count = [&](const char* section, const char* key, const char* label,
                         std::int64_t value) {
    facts.push_back({section, key, label, count_text(value), value});
  };
  const auto bytes = [&](const char* key, const char* label, Bytes value) {
    facts.push_back({"bytes", key, label,
                     with_unit(static_cast<double>(value.count()), "B") + " (" +
                         count_text(value.count()) + " B)",
                     value.count()});
  };
  facts.push_back({"model", "layers", "layers",
                   fmt::format("{} of width {}", llm.layer_count(), llm.hidden),
                   llm.layer_count()});
  for (std::size_t m = 0; m < llm.mixers.size(); ++m) facts.push_back(describe_mixer(llm, m));
  if (llm.moe)
    facts.push_back({"model",
                     "experts",
                     "experts",
                     fmt::format("{} routed, {} per token, {} shared; in {} of {} layers",
                                 llm.moe->experts, llm.moe->top_k, llm.moe->shared_experts,
                                 llm.layers_with(FfnKind::Moe), llm.layer_count()),
                     {{"routed", llm.moe->experts},
                      {"top_k", llm.moe->top_k},
                      {"shared", llm.moe->shared_experts}}});
  facts.push_back(
      {"model", "precision", "precision",
       fmt::format("weights {}, embedding {}, activations {}, KV {}", name_of(llm.weights),
                   name_of(llm.embedding), name_of(llm.activations), name_of(llm.kv)),
       std::string{name_of(llm.weights)}});
  count("parameters", "total", "total", n.total);
  count("parameters", "active", "active per token", n.active);
  count("parameters", "attention", "attention", n.attention);
  count("parameters", "dense_ffn", "dense FFN", n.dense_ffn);
  count("parameters", "routed_experts", "routed experts", n.routed_experts);
  count("parameters", "shared_experts", "shared experts", n.shared_experts);
  count("parameters", "router", "router", n.router);
  count("parameters", "norms", "norms", n.norms);
  count("parameters", "embedding", "embedding and head", n.embedding);
  bytes("weights", "all weights", weight_bytes(llm));
  bytes("active_weights", "weights of one token", active_weight_bytes(llm));
  bytes("kv_per_token", "KV per token", kv_bytes_per_token(llm));
  bytes("kv_at_max_context", "KV at full context", held_bytes(llm, llm.max_context));
  return facts;
}

void add_describe(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("describe", "Say what a platform, model or workload is");
  sub->require_subcommand(1);
  add_kind(*sub, "platform", "ref-asic", [](const auto& name, const auto& sets) {
    std::vector<ResolvedValue> values;
    const PlatformSpec platform = read_platform(name, sets, &values);
    return describe(platform, values);
  });
  add_kind(*sub, "llm", "claude-class-mid",
           [](const auto& name, const auto& sets) { return describe(read_llm(name, sets)); });
  add_kind(*sub, "workload", "steady-64",
           [](const auto& name, const auto& sets) { return describe(read_workload(name, sets)); });
}

}  // namespace reticle
