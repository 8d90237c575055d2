// SPDX-License-Identifier: Apache-2.0
// reticle workload: describe traces, make synthetic ones.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/describe_trace.hpp"
#include "sim/cli/routing.hpp"
#include "sim/config/nearest.hpp"
#include "workloads/requests/fit.hpp"
#include "workloads/requests/generator.hpp"
#include "workloads/requests/trace_reader.hpp"
#include "workloads/requests/trace_statistics.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

namespace {

struct Generate {
  std::string preset = "chat-200";
  std::string fit;  ///< a trace to take lengths and arrivals from; empty = a preset
  std::string lengths = "empirical";
  std::optional<std::int64_t> requests;
  std::optional<double> rate;
  std::optional<std::int64_t> users;
  std::uint64_t seed = kSampleSeed;
  std::string out;
  bool list = false;
};

void list_presets() {
  for (const GeneratorPreset& preset : generator_presets())
    fmt::print("{:<22} {}\n{:<22} [{}]\n", preset.name, preset.what, "", preset.source);
  fmt::print("{:<22} the shipped samples\n", fmt::join(sample_names(), ", "));
}

/// Says the words, for help and completion; preset_params refuses others, and knows near ones.
CLI::Validator preset_words() {
  std::vector<std::string_view> names;
  for (const GeneratorPreset& preset : generator_presets()) names.push_back(preset.name);
  for (const std::string_view sample : sample_names()) names.push_back(sample);
  return {[](std::string&) { return std::string{}; }, fmt::format("{{{}}}", fmt::join(names, ","))};
}

GeneratorParams preset_params(const std::string& name) {
  std::vector<std::string> names;
  for (const GeneratorPreset& preset : generator_presets()) {
    if (preset.name == name) return preset.params;
    names.emplace_back(preset.name);
  }
  for (const std::string_view sample : sample_names()) {
    if (sample == name) return sample_params(sample);
    names.emplace_back(sample);
  }
  throw ConfigError(fmt::format("--preset: expected one of {}, got '{}'{}", fmt::join(names, ", "),
                                name, did_you_mean(name, names)));
}

TraceStatistics figures_of(const std::string& argument) {
  const auto [path, format] = split_trace_argument(argument);
  TraceStream stream{path, format};
  TraceStatistics figures{0};
  Request request;
  while (stream.next(request)) figures.add(request);
  if (figures.requests() == 0)
    throw ConfigError{{path}, "requests", "expected at least one, found none"};
  return figures;
}

/// How near what was generated comes to what it was fitted to.
void print_fit(const TraceStatistics& wanted, const Trace& trace) {
  TraceStatistics made{0};
  for (const Request& request : trace.requests) made.add(request);
  fmt::print("  {:<14}{:>12}{:>12}{:>9}\n", "", "trace", "generated", "off");
  const auto row = [](const std::string& name, double from, double to) {
    fmt::print("  {:<14}{:>12.6g}{:>12.6g}{:>8.2f} %\n", name, from, to,
               from == 0.0 ? 0.0 : 100.0 * (to / from - 1.0));
  };
  constexpr std::array kPercentiles{50.0, 95.0, 99.0};  // as of every latency in a report
  for (const double percent : kPercentiles)
    row(fmt::format("input p{}", percent), static_cast<double>(wanted.input().percentile(percent)),
        static_cast<double>(made.input().percentile(percent)));
  for (const double percent : kPercentiles)
    row(fmt::format("output p{}", percent),
        static_cast<double>(wanted.output().percentile(percent)),
        static_cast<double>(made.output().percentile(percent)));
  row("requests/s", wanted.rate().value_or(0.0), made.rate().value_or(0.0));
  row("CV of gaps", wanted.gap_cv().value_or(0.0), made.gap_cv().value_or(0.0));
}

void generate(const Generate& options) {
  if (options.list) return list_presets();
  std::optional<TraceStatistics> wanted;
  GeneratorParams params;
  if (options.fit.empty()) {
    params = preset_params(options.preset);
  } else {
    wanted = figures_of(options.fit);
    params = fit_requests(*wanted, options.lengths == "mixture");
  }
  params.requests = options.requests.value_or(params.requests);
  params.rate_per_s = options.rate.value_or(params.rate_per_s);
  if (options.users && params.users == 0)
    throw ConfigError(
        fmt::format("--users: {} is not a closed loop, whose users wait for their answers; "
                    "chat-closed-loop is",
                    options.fit.empty() ? options.preset : std::string{"a fitted trace"}));
  params.users = options.users.value_or(params.users);
  const Trace trace = generate_trace(params, options.seed);
  std::string note = generator_note(params, options.seed);
  if (wanted) note += ", fitted to " + std::filesystem::path{options.fit}.filename().string();
  write_reticle_trace(trace, options.out, note);
  fmt::print("{}: {} requests\n", options.out, trace.requests.size());
  if (wanted) print_fit(*wanted, trace);
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
  if (!(given_s >= 0.0 && given_s <= kLongestTraceSeconds))
    throw ConfigError(
        fmt::format("{}: expected seconds from 0 to 9200000, got {}", option, given_s));
  return Picoseconds{std::llround(given_s * 1e6) * 1'000'000};
}

struct Import {
  std::string trace;  ///< FILE[:format]
  TraceOptions options;
  std::string out;
};

void import_trace(const Import& request) {
  const auto [path, format] = split_trace_argument(request.trace);
  const Trace trace = read_trace(path, format, request.options);
  write_reticle_trace(trace, request.out,
                      fmt::format("{} of {}, digest {:016x}", trace.format,
                                  std::filesystem::path{path}.filename().string(), trace.digest));
  fmt::print("{}: {} requests ({} rows skipped: no tokens; {} malformed)\n", request.out,
             trace.requests.size(), trace.skipped, trace.bad_rows);
}

}  // namespace

void add_workload(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("workload", "Describe or generate request traces");
  sub->require_subcommand(1);
  add_routing(*sub);

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
  describe->callback([described, from_s, to_s, describe] {
    const auto [path, format] = split_trace_argument(described->trace);
    if (format.empty() && is_routing_file(path)) {
      for (const CLI::Option* option : describe->get_options()) {
        const std::string name = option->get_name();
        if (option->count() > 0 && name != "trace" && name != "--json" && name != "--skip-bad-rows")
          throw ConfigError(name + ": belongs to request traces; " + path +
                            " holds picks of experts, which have none");
      }
      describe_routing(path, described->json, described->options.skip_bad_rows);
      return;
    }
    described->options.from = time_of("--from", *from_s);
    if (*to_s) described->options.to = time_of("--to", **to_s);
    describe_trace(*described);
  });

  CLI::App* convert = sub->add_subcommand("import", "Write a trace, or a part of it, as our JSONL");
  auto imported = std::make_shared<Import>();
  auto import_from_s = std::make_shared<double>(0.0);
  auto import_to_s = std::make_shared<std::optional<double>>();
  convert->add_option("trace", imported->trace, "FILE[:format], or a folder of agent sessions")
      ->required();
  add_trace_options(*convert, imported->options, import_from_s, import_to_s);
  convert->add_option("--out", imported->out, "File to write (JSONL)")->required();
  convert->footer(
      "Example: reticle workload import trace.csv:azure --limit 1000 --out first.jsonl");
  convert->callback([imported, import_from_s, import_to_s] {
    imported->options.from = time_of("--from", *import_from_s);
    if (*import_to_s) imported->options.to = time_of("--to", **import_to_s);
    import_trace(*imported);
  });

  CLI::App* make = sub->add_subcommand("generate", "Write a synthetic trace");
  auto options = std::make_shared<Generate>();
  make->add_option("--preset,--like", options->preset, "Kind of traffic; --list shows them")
      ->check(preset_words());
  make->add_option("--fit", options->fit,
                   "Take lengths and arrivals of a trace FILE[:format] in place of a preset");
  make->add_option("--lengths", options->lengths, "How --fit models them")
      ->check(CLI::IsMember({"empirical", "mixture"}));
  make->add_option("--requests", options->requests, "How many requests");
  make->add_option("--rate", options->rate, "Requests (agents: sessions) per second");
  make->add_option("--users", options->users, "Closed loop of so many users");
  make->add_option("--seed", options->seed, "Seed");
  make->add_option("--out", options->out, "File to write (JSONL)");
  make->add_flag("--list", options->list, "List the presets and the sources of their figures");
  make->footer(
      "Example: reticle workload generate --preset coding-agent --requests 1000 --out agent.jsonl");
  make->callback([options, make] {
    const auto given = [make](const char* option) { return make->count(option) > 0; };
    if (given("--preset") && given("--fit"))
      throw ConfigError(
          "--fit: takes lengths and arrivals of a trace in place of --preset; give "
          "one of the two");
    if (given("--lengths") && !given("--fit"))
      throw ConfigError("--lengths: says how --fit models lengths; without --fit it does nothing");
    if (!options->list && options->out.empty()) throw CLI::RequiredError("--out");
    generate(*options);
  });
}

}  // namespace reticle
