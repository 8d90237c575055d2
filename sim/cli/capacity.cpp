// SPDX-License-Identifier: Apache-2.0
// reticle capacity: how long a context and how many streams a platform holds, by search.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/value_text.hpp"
#include "sim/engine/run.hpp"
#include "sim/metrics/text_format.hpp"
#include "sim/sweep/point_process.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostStreams = 1'000'000;  // of serving.max_batch
constexpr std::int64_t kExact = 1'000'000'000;
constexpr std::int64_t kLimitPart = 64;  ///< a limit of latency is met to that part of the streams
constexpr std::int64_t kSteps = 2;       ///< of the decodes that are simulated

struct Options {
  RunRequest request;
  // where none are asked for: 4k, 32k, 128k
  std::vector<std::int64_t> contexts{4096, 32'768, 131'072};
  std::string tpot_limit;
  bool json = false;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

/// The largest of 1 to `most` for which `holds`, which is true up to some number; 0: for none.
/// Found to its `part`-th at least.
template <class Holds>
std::int64_t largest(std::int64_t most, Holds holds, std::int64_t part = kExact) {
  std::int64_t good = 0, bad = 1;
  while (bad <= most && holds(bad)) good = bad, bad = std::min(2 * bad, most + (bad == most));
  bad = std::min(bad, most + 1);
  while (bad - good > std::max<std::int64_t>(1, good / part)) {
    const std::int64_t middle = good + (bad - good) / 2;
    (holds(middle) ? good : bad) = middle;
  }
  return good;
}

/// Decodes of one platform and model; each probe is a process of its own.
class Prober {
 public:
  explicit Prober(const RunRequest& request) : request_{request} {}

  /// Whether so many streams of `context` tokens, the newest included, are admitted.
  [[nodiscard]] bool fits(std::int64_t streams, std::int64_t context) const {
    return decode(streams, context - 1, 1, "roofline").has_value();
  }
  /// Seconds of a decode step on the silicon.
  [[nodiscard]] double step(std::int64_t streams, std::int64_t context) const {
    return decode(streams, context - kSteps, kSteps, "transaction").value() / kSteps;
  }

 private:
  /// Simulated seconds; nullopt: it does not fit.
  [[nodiscard]] std::optional<double> decode(std::int64_t streams, std::int64_t context,
                                             std::int64_t steps, const char* fidelity) const {
    const auto work = [&](std::size_t) {
      RunRequest mine = request_;
      mine.fidelity = fidelity;
      for (const auto& [key, value] : {std::pair{"workload.batch", streams},
                                       {"workload.context", context},
                                       {"workload.steps", steps},
                                       {"serving.max_batch", streams}})
        mine.sets.push_back(fmt::format("{}={}", key, value));
      return fmt::format("{}", seconds(run_simulation(read_run(mine), nullptr, {}).duration));
    };
    const PointOutcome outcome = run_points(1, 1, work).front();
    if (outcome.code == static_cast<int>(ExitCode::Ok)) return std::stod(outcome.output);
    if (outcome.code == static_cast<int>(ExitCode::Infeasible)) return std::nullopt;
    if (outcome.code == static_cast<int>(ExitCode::BadInput))
      throw ConfigError({}, "", outcome.output);
    throw SimulationError(outcome.output);
  }

  const RunRequest& request_;
};

Json row_of(const Prober& prober, std::int64_t context, std::optional<Picoseconds> limit) {
  const std::int64_t streams =
      largest(kMostStreams, [&](std::int64_t n) { return prober.fits(n, context); });
  Json row{{"context", context}, {"streams", streams}};
  const auto put = [&](const std::string& suffix, std::int64_t n) {
    const std::optional<double> step =
        n > 0 ? std::optional{prober.step(n, context)} : std::nullopt;
    row["tpot_ms" + suffix] = step ? Json(*step * 1e3) : Json(nullptr);
    row["output_tokens_per_s" + suffix] =
        step ? Json(static_cast<double>(n) / *step) : Json(nullptr);
  };
  put("", streams);
  if (!limit) return row;
  const auto in_time = [&](std::int64_t n) { return prober.step(n, context) <= seconds(*limit); };
  const std::int64_t within = largest(streams, in_time, kLimitPart);
  row["streams_within_limit"] = within;
  put("_within_limit", within);
  return row;
}

std::string table(const Json& result) {
  const bool limited = !result["tpot_limit_ms"].is_null();
  std::string out = fmt::format("{} on {}\n", result["llm"].get<std::string>(),
                                result["platform"].get<std::string>());
  if (const Json& longest = result["longest_context"]; !longest.is_null())
    out += fmt::format("longest context of one stream: {} tokens{}\n\n", count_text(longest),
                       longest == result["model_context"] ? ", all the model attends to"
                                                          : ", then the KV room is full");
  out += fmt::format("{:>10}{:>10}{:>14}{:>14}", "context", "streams", "TPOT", "tokens/s");
  if (limited) out += fmt::format("  {:>10}{:>14}{:>14}", "in limit", "TPOT", "tokens/s");
  out += '\n';
  const auto cells = [](const Json& row, const std::string& suffix) {
    const Json& tpot = row["tpot_ms" + suffix];
    if (tpot.is_null()) return fmt::format("{:>14}{:>14}", "-", "-");
    return fmt::format("{:>14}{:>14}", with_unit(tpot.get<double>() * 1e-3, "s"),
                       number_text(row["output_tokens_per_s" + suffix]));
  };
  for (const Json& row : result["rows"]) {
    out += fmt::format("{:>10}{:>10}", count_text(row["context"]), count_text(row["streams"])) +
           cells(row, "");
    if (limited)
      out += fmt::format("  {:>10}", count_text(row["streams_within_limit"])) +
             cells(row, "_within_limit");
    out += '\n';
  }
  return out;
}

void capacity(const Options& options) {
  RunRequest request = options.request;
  request.workload = "steady-decode";
  const RunSpec spec = read_run(request);
  std::optional<Picoseconds> limit;
  if (!options.tpot_limit.empty()) {
    const Parsed<Picoseconds> parsed = ValueText<Picoseconds>::parse(options.tpot_limit);
    if (!parsed.value || parsed.value->count() <= 0)
      throw ConfigError({}, "--tpot-limit",
                        "expected a time above 0, such as 50ms, got " + options.tpot_limit);
    limit = parsed.value;
  }
  for (const std::int64_t context : options.contexts)
    if (context <= kSteps || context > spec.llm.max_context)
      throw ConfigError({}, "--context",
                        fmt::format("expected {} to {} tokens, {} attends to no more; got {}",
                                    kSteps + 1, spec.llm.max_context, spec.llm.name, context));
  // The first point is the longest context, the others are rows.
  const auto work = [&](std::size_t i) {
    const Prober prober{request};
    if (i > 0) return row_of(prober, options.contexts[i - 1], limit).dump();
    return std::to_string(largest(spec.llm.max_context, [&](std::int64_t context) {
      return context == 1 || prober.fits(1, context);
    }));
  };
  const Interruptible interruptible;
  std::map<std::size_t, Json> found;
  const auto on_done = [&](std::size_t i, const PointOutcome& outcome) {
    if (outcome.code == static_cast<int>(ExitCode::BadInput))
      throw ConfigError({}, "", outcome.output);
    if (outcome.code != 0) throw SimulationError(outcome.output);
    found[i] = Json::parse(outcome.output);
    return true;
  };
  (void)run_points(1 + options.contexts.size(), options.jobs, work, on_done, kUntilAsked);
  Json rows = Json::array();
  for (const auto& [i, row] : found)
    if (i > 0) rows.push_back(row);
  const Json result{{"platform", spec.platform.name},
                    {"llm", spec.llm.name},
                    {"model_context", spec.llm.max_context},
                    {"longest_context", found.contains(0) ? found[0] : Json(nullptr)},
                    {"tpot_limit_ms", limit ? Json(seconds(*limit) * 1e3) : Json(nullptr)},
                    {"rows", std::move(rows)}};
  fmt::print("{}", options.json ? result.dump(2) + "\n" : table(result));
  throw_if_asked(found.size(), 1 + options.contexts.size(), "searches", "the figures are of those");
}
}  // namespace

void add_capacity(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "capacity", "Search the longest context and the most streams a platform's memory holds");
  RunRequest& r = options->request;
  sub->add_option("--platform", r.platform, "Platform: a catalogue name or a YAML file")
      ->required();
  sub->add_option("--llm", r.llm, "Language model: a catalogue name or a YAML file")->required();
  sub->add_option("--serving", r.serving, "Serving policy: a catalogue name or a YAML file");
  sub->add_option("--context", options->contexts, "Tokens per stream, a row each")->delimiter(',');
  sub->add_option("--tpot-limit", options->tpot_limit,
                  "Also the most streams whose tokens come within it, such as 50ms, to 2 % below");
  sub->add_option("--set", r.sets, "key=value; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--jobs", options->jobs, "Searches at a time")->check(CLI::Range(1, kMostJobs));
  sub->add_flag("--json", options->json, "Print one JSON document");
  sub->footer(
      "Example: reticle capacity --platform ref-asic --llm claude-class-mid --tpot-limit 20ms");
  sub->callback([options] { capacity(*options); });
}

}  // namespace reticle
