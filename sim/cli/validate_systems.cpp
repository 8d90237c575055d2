// SPDX-License-Identifier: Apache-2.0
// reticle validate systems: serving as it was measured, simulated.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/validate.hpp"
#include "sim/config/read_run.hpp"
#include "sim/engine/run.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/tables.hpp"
#include "sim/metrics/text_format.hpp"
#include "sim/sweep/point_process.hpp"
#include "sim/validate/error_figures.hpp"
#include "sim/validate/system_run.hpp"
#include "sim/validate/table.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

struct Options {
  std::string rows;  ///< empty: the full table where it is, else published figures
  std::string filter, csv;
  std::vector<std::string> sets;
  std::int64_t turns = 0;  ///< 0: as the source has them
  bool json = false, worst = false;
  bool without_stack = false;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

/// One measured value beside the simulated one.
struct Line {
  const SystemRun* run = nullptr;
  std::string metric, limit;
  double measured = 0, simulated = 0;
  std::int64_t layers = 0, streams = 0;
  bool best = false;  ///< no other stack did better with the same configuration
  [[nodiscard]] double error() const { return relative_error(simulated, measured); }
};

constexpr std::string_view kTpot = "TPOT", kRate = "throughput", kTtft = "TTFT", kEnergy = "energy",
                           kEndToEnd = "end to end";

/// What a metric of the table is about; empty: nothing that a run gives.
std::string_view kind_of(std::string_view metric) {
  if (metric.starts_with("TPOT") || metric.starts_with("ITL") || metric == "tok/s/user")
    return kTpot;
  if (metric == "tok/s/GPU output" || metric == "tok/s total output") return kRate;
  if (metric.starts_with("TTFT")) return kTtft;
  if (metric.starts_with("J/token")) return kEnergy;
  if (metric.starts_with("E2E")) return kEndToEnd;
  return {};
}

/// Of a run, in the metric's unit.
std::optional<double> value_of(const std::string& metric, const RunFigures& f, std::int64_t chips) {
  const auto of = [&](const std::optional<Distribution>& d) {
    const bool median = metric.find("median") != std::string::npos;
    return d ? std::optional{median ? d->p50 : d->mean} : std::nullopt;
  };
  if (metric.starts_with("TPOT")) return of(f.latency.tpot_ms);
  if (metric.starts_with("ITL")) return of(f.latency.itl_ms);
  if (metric.starts_with("TTFT")) return of(f.latency.ttft_ms);
  if (metric == "E2E latency s")
    return f.latency.e2e_ms ? std::optional{f.latency.e2e_ms->mean * 1e-3} : std::nullopt;
  if (metric == "tok/s/user")
    return f.latency.tpot_ms ? std::optional{1e3 / f.latency.tpot_ms->mean} : std::nullopt;
  if (metric == "tok/s total output") return f.output_tokens_per_s;
  if (metric == "tok/s/GPU output")
    return f.output_tokens_per_s
               ? std::optional{*f.output_tokens_per_s / static_cast<double>(chips)}
               : std::nullopt;
  if (metric.starts_with("J/token")) return f.energy_per_token_j;
  return std::nullopt;
}

/// Milliseconds in which the weights and the prompts' cached keys and values can be read once, from
/// all memories at their pins' rate: less a token of every stream cannot take.
double reading_ms(const RunSpec& spec, const SystemCase& system) {
  if (!spec.platform.die.hbm) return 0;
  const auto shortest =
      static_cast<std::int64_t>(system.shortest * static_cast<double>(system.input));
  const Bytes bytes =
      active_weight_bytes(spec.llm) + system.clients * cache_read_bytes(spec.llm, shortest, 1);
  const double rate = static_cast<double>(peak_bandwidth(*spec.platform.die.hbm).count()) *
                      static_cast<double>(dies(spec.platform));
  return 1e3 * static_cast<double>(bytes.count()) / rate;
}

bool faster_than(double reading_ms, const SystemRun& run) {
  return std::ranges::any_of(run.measured, [&](const auto& value) {
    const auto& [metric, measured] = value;
    if (kind_of(metric) != kTpot) return false;
    return (metric == "tok/s/user" ? 1e3 / measured : measured) < reading_ms;
  });
}

/// Its metrics and what limited it, as JSON.
std::string simulate(const SystemRun& run, const SystemCase& system, const Options& options) {
  RunRequest request = system.request;
  if (options.without_stack) request.serving.reset();
  request.sets.insert(request.sets.end(), options.sets.begin(), options.sets.end());
  RunSpec spec = read_run(request);
  if (faster_than(reading_ms(spec, system), run))
    return Json{{"left_out", "faster than weights and cache can be read: not as it is told"}}
        .dump();
  const std::int64_t turns = options.turns > 0 ? options.turns : system.turns;
  const Trace trace = clients_trace(system, turns);
  TraceWorkload workload;
  workload.closed_loop = !system.queued;
  spec.workload = workload;
  // A queue's end, when the batch is no longer full, is not what was measured.
  if (system.queued) spec.engine.max_steps = turns * system.output / 2;
  if (system.input + system.output > spec.llm.max_context)
    throw InfeasibleError("longer than the model attends to");
  const RunResult result = run_simulation(spec, &trace, {});
  const RunFigures f = figures(spec, result);
  Json answer{{"layers", spec.llm.layer_count()},
              {"limit", f.limited_by ? Json(label_of(*f.limited_by).key) : Json(nullptr)},
              {"metrics", Json::object()}};
  for (const auto& [metric, measured] : run.measured)
    if (const auto value = value_of(metric, f, run.chips)) answer["metrics"][metric] = *value;
  return answer.dump();
}

/// Configuration without the stack that served it.
std::string configuration(const Line& line) {
  const SystemRun& r = *line.run;
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", r.platform, r.chips, r.model, r.precision, r.input,
                     r.output, r.concurrency, line.metric);
}

void mark_best(std::vector<Line>& lines) {
  std::map<std::string, Line*> best;
  for (Line& line : lines) {
    const bool more_is_better = kind_of(line.metric) == kRate || line.metric == "tok/s/user";
    Line*& so_far = best[configuration(line)];
    if (so_far == nullptr ||
        (more_is_better ? line.measured > so_far->measured : line.measured < so_far->measured))
      so_far = &line;
  }
  for (const auto& [key, line] : best) line->best = true;
}

struct Group {
  std::string name;
  ErrorFigures figures;
};

/// Over all lines that `wanted` takes, by what `name` says.
template <class Wanted, class Name>
std::vector<Group> groups(const std::vector<Line>& lines, Wanted wanted, Name name) {
  std::map<std::string, std::vector<double>> errors;
  for (const Line& line : lines)
    if (wanted(line)) errors[name(line)].push_back(line.error());
  std::vector<Group> all;
  for (const auto& [key, list] : errors) all.push_back({key, *error_figures(list)});
  return all;
}

std::string group_table(const std::vector<Group>& all) {
  std::string out;
  for (const Group& g : all)
    out += fmt::format("  {:<62}{:>5}{:>9}{:>9}{:>9}{:>9}\n", g.name, g.figures.count,
                       percent_text(g.figures.mape), percent_text(g.figures.median),
                       percent_text(g.figures.p90), fmt::format("{:+.1f} %", g.figures.bias * 100));
  return out;
}

std::string row_begin(const SystemRun& r, const std::string& metric, double measured) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{:.6g}", csv_field(r.id),
                     csv_field(r.platform), r.chips, csv_field(r.model), csv_field(r.precision),
                     csv_field(r.parallelism), csv_field(r.framework), csv_field(r.input),
                     csv_field(r.output), csv_field(r.concurrency), csv_field(metric), measured);
}

std::string left_out_row(const SystemRun& r, const std::string& metric, double measured,
                         const std::string& why) {
  return fmt::format("{},,,,,{},{}\n", row_begin(r, metric, measured), csv_field(r.source),
                     csv_field(why));
}

std::string csv_of(const std::vector<Line>& lines) {
  std::string out =
      "run_id,platform,chips,model,precision,parallelism,framework,input,output,concurrency,"
      "metric,measured,simulated,error,limit,best_stack,source,left_out\n";
  for (const Line& l : lines) {
    const SystemRun& r = *l.run;
    out += fmt::format("{},{:.6g},{:.4f},{},{},{},\n", row_begin(r, l.metric, l.measured),
                       l.simulated, l.error(), l.limit, l.best ? 1 : 0, csv_field(r.source));
  }
  return out;
}

std::string worst_rows(std::vector<Line> lines) {
  constexpr std::size_t kRows = 10;
  std::ranges::stable_sort(lines, std::ranges::greater{},
                           [](const Line& l) { return std::abs(l.error()); });
  lines.resize(std::min(lines.size(), kRows));
  std::string out;
  for (const Line& l : lines)
    out += fmt::format("  {}, {}: measured {:.4g}, simulated {:.4g}, {:+.0f} %; {}\n", l.run->id,
                       l.metric, l.measured, l.simulated, l.error() * 100, l.limit);
  return out;
}

Json json_of(const std::vector<Line>& lines, const std::map<std::string, std::int64_t>& left_out) {
  Json rows = Json::array();
  for (const Line& l : lines)
    rows.push_back({{"run_id", l.run->id},
                    {"stack", stack_of(l.run->framework)},
                    {"platform", l.run->platform},
                    {"model", l.run->model},
                    {"layers", l.layers},
                    {"streams", l.streams},
                    {"metric", l.metric},
                    {"measured", l.measured},
                    {"simulated", l.simulated},
                    {"error", l.error()},
                    {"limit", l.limit},
                    {"best_stack", l.best}});
  Json without = Json::object();
  for (const auto& [why, count] : left_out) without[why] = count;
  return {{"rows", std::move(rows)}, {"left_out", std::move(without)}};
}

/// Any case.
bool has(std::string text, std::string part) {
  const auto lower = [](std::string& t) {
    std::ranges::transform(t, t.begin(), [](unsigned char c) { return std::tolower(c); });
  };
  lower(text);
  lower(part);
  return text.find(part) != std::string::npos;
}

void validate_systems(const Options& options) {
  const Table table{options.rows.empty() ? measured_table("systems.csv") : options.rows};
  const std::vector<SystemRun> runs = system_runs(table);
  std::map<std::string, std::int64_t> left_out;  // metrics, by reason
  std::string rows_left_out;                     // of the CSV
  const auto leave_out = [&](const SystemRun& run, const std::string& why) {
    left_out[why] += std::ssize(run.measured);
    for (const auto& [metric, measured] : run.measured)
      rows_left_out += left_out_row(run, metric, measured, why);
  };
  std::vector<const SystemRun*> wanted;
  std::vector<SystemCase> cases;
  for (const SystemRun& run : runs) {
    const std::string words =
        run.id + " " + run.platform + " " + run.model + " " + run.framework + " " + run.family;
    if (!has(words, options.filter)) continue;
    SystemCase system = case_of(run);
    if (!system.left_out.empty()) {
      leave_out(run, system.left_out);
      continue;
    }
    wanted.push_back(&run);
    cases.push_back(system);
  }
  if (wanted.empty() && left_out.empty())
    throw ConfigError({}, "--filter",
                      fmt::format("none of the {} runs of {} has '{}' in its id, platform, model, "
                                  "framework or family",
                                  runs.size(), table.path(), options.filter));
  const auto work = [&](std::size_t i) { return simulate(*wanted[i], cases[i], options); };
  const Interruptible interruptible;
  std::size_t done = 0;
  const auto count = [&](std::size_t, const PointOutcome&) {
    fmt::print(stderr, "\r{} of {} runs", ++done, wanted.size());
    return true;
  };
  const auto outcomes = run_points(wanted.size(), options.jobs, work, count, kUntilAsked);
  fmt::print(stderr, "\n");
  throw_if_asked(done, wanted.size(), "runs", "nothing of them is kept");
  std::vector<Line> lines;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (outcomes[i].code == static_cast<int>(ExitCode::Infeasible)) {
      leave_out(*wanted[i], "does not fit: " + wanted[i]->model + " on " +
                                std::to_string(wanted[i]->chips) + " " + wanted[i]->platform);
      continue;
    }
    // Of a configuration as the row tells it, or of --set, which every run then breaks.
    if (outcomes[i].code == static_cast<int>(ExitCode::BadInput) && options.sets.empty()) {
      leave_out(*wanted[i], "cannot be configured: " + outcomes[i].output);
      continue;
    }
    if (outcomes[i].code != 0) throw SimulationError(wanted[i]->id + ": " + outcomes[i].output);
    const Json answer = Json::parse(outcomes[i].output);
    if (answer.contains("left_out")) {
      leave_out(*wanted[i], answer["left_out"]);
      continue;
    }
    for (const auto& [metric, measured] : wanted[i]->measured) {
      if (!answer["metrics"].contains(metric)) {
        left_out["metric " + metric] += 1;
        rows_left_out += left_out_row(*wanted[i], metric, measured, "metric " + metric);
        continue;
      }
      lines.push_back(
          {wanted[i], metric,
           answer["limit"].is_string() ? answer["limit"].get<std::string>() : std::string{},
           measured, answer["metrics"][metric], answer["layers"], cases[i].clients, false});
    }
  }
  mark_best(lines);
  if (!options.csv.empty()) write_file_atomically(options.csv, csv_of(lines) + rows_left_out);
  if (options.json) {
    fmt::print("{}\n", json_of(lines, left_out).dump(2));
    return;
  }
  const auto best = [](const Line& l) { return l.best; };
  const auto any = [](const Line&) { return true; };
  const auto kind = [](const Line& l) { return std::string{kind_of(l.metric)}; };
  const auto detail = [](const Line& l) {
    const std::string stack = stack_of(l.run->framework);
    return fmt::format("{}, {}, {}, {}", kind_of(l.metric), l.run->platform, l.run->model,
                       stack.empty() ? "no stack's host time" : stack);
  };
  fmt::print("  {:<62}{:>5}{:>9}{:>9}{:>9}{:>9}\n", "best stack of each configuration", "n", "MAPE",
             "median", "P90", "bias");
  fmt::print("{}", group_table(groups(lines, best, kind)));
  fmt::print("  {:<62}\n{}", "all stacks", group_table(groups(lines, any, kind)));
  fmt::print("  {:<62}\n{}", "by metric, platform, model and stack",
             group_table(groups(lines, any, detail)));
  for (const auto& [why, values] : left_out)
    fmt::print("  left out: {} ({} values)\n", why, values);
  if (options.worst) fmt::print("  farthest off\n{}", worst_rows(lines));
}
}  // namespace

void add_validate_systems(CLI::App& validate) {
  auto options = std::make_shared<Options>();
  CLI::App* sub =
      validate.add_subcommand("systems", "Serving of whole machines, simulated and measured");
  sub->add_option("rows,--rows", options->rows,
                  "Table of measurements; else ../shared/measured/systems.csv, and where that is "
                  "absent published figures");
  sub->add_option("--filter", options->filter,
                  "Runs whose id, platform, model, framework or family has this text");
  sub->add_option("--turns", options->turns,
                  "Requests of each client; else ten of InferenceMAX's, two of others'")
      ->check(CLI::Range(2, 1000));
  sub->add_option("--set", options->sets, "key=value, for every run; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--csv", options->csv, "Every value, to this file");
  sub->add_flag("--without-stack", options->without_stack,
                "No host time of serving stacks: what they are fitted to");
  sub->add_option("--jobs", options->jobs, "Runs at a time")->check(CLI::Range(1, kMostJobs));
  sub->add_flag("--worst", options->worst, "Also the ten values that are farthest off");
  sub->add_flag("--json", options->json, "Print one JSON document");
  sub->callback([options] { validate_systems(*options); });
}

}  // namespace reticle
