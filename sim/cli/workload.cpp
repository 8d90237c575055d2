// SPDX-License-Identifier: Apache-2.0
// reticle workload: describe traces, make synthetic ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/describe_trace.hpp"
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

/// Options of what is used of a trace.
void add_trace_options(CLI::App& sub, TraceOptions& options, std::shared_ptr<double> from_s,
                       std::shared_ptr<std::optional<double>> to_s) {
  sub.add_option("--from", *from_s, "Leave out what arrives earlier (s)");
  sub.add_option("--to", *to_s, "Leave out what arrives then or later (s)");
  sub.add_option("--skip", options.skip, "Leave out so many requests");
  sub.add_option("--limit", options.limit, "At most so many requests");
  sub.add_option("--max-input", options.max_input, "Cut longer prompts (tokens)");
  sub.add_option("--max-output", options.max_output, "Cut longer answers (tokens)");
  sub.add_option("--rate-scale", options.rate_scale, "Arrivals so many times faster");
  sub.add_option("--sample", options.sample, "Keep this share of requests, by session");
  sub.add_option("--sample-seed", options.seed, "Seed of that choice");
  sub.add_flag("--skip-bad-rows", options.skip_bad_rows, "Leave out malformed rows, count them");
}

Picoseconds time_of(const char* option, double given_s) {
  if (!(given_s >= 0.0 && given_s <= 9.2e6))
    throw ConfigError(fmt::format("{}: expected seconds from 0 to 9200000, got {}", option, given_s));
  return Picoseconds{std::llround(given_s * 1e6) * 1'000'000};
}

}  // namespace

void add_workload(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("workload", "Describe or generate request traces");
  sub->require_subcommand(1);

  CLI::App* describe = sub->add_subcommand("describe", "Statistics of a trace");
  auto described = std::make_shared<DescribeTrace>();
  auto from_s = std::make_shared<double>(0.0);
  auto to_s = std::make_shared<std::optional<double>>();
  describe->add_option("trace", described->trace, "FILE[:format], or a folder of agent sessions")
      ->required();
  add_trace_options(*describe, described->options, from_s, to_s);
  describe->add_flag("--json", described->json, "Print one JSON document");
  describe->add_flag("!--no-prefix", described->prefix,
                     "Do not count prefix hits, whose block ids take memory");
  describe->add_option("--plot", described->plot, "Draw lengths and arrivals to FILE.svg or .png");
  describe->footer("Example: reticle workload describe workloads/samples/chat-200.jsonl");
  describe->callback([described, from_s, to_s] {
    described->options.from = time_of("--from", *from_s);
    if (*to_s) described->options.to = time_of("--to", **to_s);
    describe_trace(*described);
  });

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
