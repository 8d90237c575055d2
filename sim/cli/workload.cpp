// SPDX-License-Identifier: Apache-2.0
// reticle workload: describe traces, make synthetic ones.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/routing.hpp"
#include "workloads/requests/generator.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

namespace {

struct Generate {
  std::string sample = "chat-200";
  std::optional<std::int64_t> requests;
  std::uint64_t seed = kSampleSeed;
  std::string out;
};

void generate(const Generate& options) {
  const auto names = sample_names();
  if (std::find(names.begin(), names.end(), options.sample) == names.end())
    throw ConfigError(fmt::format("--like: expected one of {}, got '{}'", fmt::join(names, ", "),
                                  options.sample));
  GeneratorParams params = sample_params(options.sample);
  params.requests = options.requests.value_or(params.requests);
  const Trace trace = generate_trace(params, options.seed);
  write_reticle_trace(trace, options.out, generator_note(params, options.seed));
  fmt::print("{}: {} requests\n", options.out, trace.requests.size());
}

void describe_trace(const std::string& argument) {
  const auto [path, format] = split_trace_argument(argument);
  const Trace trace = read_trace(path, format);
  std::vector<std::int64_t> input, output;
  double input_sum = 0, output_sum = 0;
  for (const Request& r : trace.requests) {
    input.push_back(r.input_tokens);
    output.push_back(r.output_tokens);
    input_sum += static_cast<double>(r.input_tokens);
    output_sum += static_cast<double>(r.output_tokens);
  }
  std::sort(input.begin(), input.end());
  std::sort(output.begin(), output.end());
  const auto n = trace.requests.size();
  const auto rank = [&](const auto& sorted, std::size_t percent) {
    return sorted[(n * percent + 99) / 100 - 1];
  };
  const double span = seconds(trace.requests.back().arrival - trace.requests.front().arrival);
  fmt::print("{}\n  format    {}\n  requests  {} ({} rows skipped: no tokens)\n", trace.path,
             trace.format, n, trace.skipped);
  fmt::print("  span      {:.1f} s, {} per second\n", span,
             span > 0 ? fmt::format("{:.3f}", static_cast<double>(n) / span) : "-");
  fmt::print("  {:<8}{:>12}{:>10}{:>10}{:>10}{:>10}\n", "tokens", "mean", "p50", "p95", "p99",
             "max");
  const auto row = [&](const char* name, const auto& sorted, double sum) {
    fmt::print("  {:<8}{:>12.1f}{:>10}{:>10}{:>10}{:>10}\n", name, sum / static_cast<double>(n),
               rank(sorted, 50), rank(sorted, 95), rank(sorted, 99), sorted.back());
  };
  row("input", input, input_sum);
  row("output", output, output_sum);
}

}  // namespace

void add_workload(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("workload", "Describe or generate request traces");
  sub->require_subcommand(1);
  add_routing(*sub);

  CLI::App* describe = sub->add_subcommand("describe", "Statistics of a trace");
  auto argument = std::make_shared<std::string>();
  describe->add_option("trace", *argument, "FILE[:format]")->required();
  describe->footer("Example: reticle workload describe workloads/samples/chat-200.jsonl");
  describe->callback([argument] { describe_trace(*argument); });

  CLI::App* make = sub->add_subcommand("generate", "Write a synthetic trace");
  auto options = std::make_shared<Generate>();
  make->add_option("--like", options->sample, "Parameters of which sample: chat-200, agent-60");
  make->add_option("--requests", options->requests, "How many requests");
  make->add_option("--seed", options->seed, "Seed");
  make->add_option("--out", options->out, "File to write (JSONL)")->required();
  make->footer(
      "Example: reticle workload generate --like chat-200 --requests 1000 --out chat.jsonl");
  make->callback([options] { generate(*options); });
}

}  // namespace reticle
