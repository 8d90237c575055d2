// SPDX-License-Identifier: Apache-2.0
// reticle describe platform|llm|workload NAME
#include "sim/cli/describe.hpp"

#include <fmt/format.h>

#include <memory>

#include "sim/cli/command.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/text_format.hpp"

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
    fmt::print("  {:<24} {}\n", fact.label, fact.text);
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

}  // namespace

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
