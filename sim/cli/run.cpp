// SPDX-License-Identifier: Apache-2.0
// reticle run: the main job.
#include "sim/engine/run.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/base/log.hpp"
#include "sim/cli/chips.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/inside_files.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/pareto.hpp"
#include "sim/cli/progress.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/enum_tables.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/report.hpp"
#include "sim/metrics/summary.hpp"
#include "sim/metrics/tables.hpp"
#include "sim/view/run_page.hpp"

namespace reticle {

namespace {

struct Options {
  RunRequest request;
  std::string chips;
  std::string out;
  bool exact = false;
  bool json = false;
  std::string log = "warn";
  bool pareto = false;
  bool steps = false;
  InsideOptions inside;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

SimulatorFacts facts(std::chrono::steady_clock::time_point begun) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  SimulatorFacts out;
  out.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  out.peak_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024;  // Linux reports KiB
  return out;
}

/// Every name that write_results may use.
constexpr std::array<std::string_view, 10> kResults{
    "requests.csv", "steps.csv",     "activity.csv",  "power.csv",   "operators.csv",
    "thermal.csv",  "residency.csv", "resolved.yaml", "report.html", "report.json"};

/// A timeline or waveform takes no result's place.
void check_apart(const Options& options) {
  std::error_code error;
  const auto place = [&](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  for (const auto& [option, path] :
       {std::pair{"--timeline", &options.inside.timeline}, {"--vcd", &options.inside.vcd}}) {
    const std::filesystem::path file = place(*path);
    if (!path->empty() && file.parent_path() == place(options.out) &&
        std::ranges::count(kResults, file.filename().string()) > 0)
      throw ConfigError({*path, 0, 0}, option, "expected another file than those of --out");
  }
}

void write_results(const std::filesystem::path& out, const RunSpec& spec, const RunResult& result,
                   const std::string& report) {
  const bool steady = std::holds_alternative<SteadyDecode>(spec.workload);
  WholeFiles files{out};
  write_requests_csv(files.add("requests.csv"), result, steady);
  if (spec.engine.step_rows) write_steps_csv(files.add("steps.csv"), result);
  write_activity_csv(files.add("activity.csv"), result, spec.platform);
  write_power_csv(files.add("power.csv"), result, spec.platform);
  write_operators_csv(files.add("operators.csv"), result);
  if (result.thermal) write_thermal_csv(files.add("thermal.csv"), result);
  write_residency_csv(files.add("residency.csv"), result);
  write_resolved(files.add("resolved.yaml"), spec, build_info());
  files.add("report.html") << run_page(spec, result, report);
  files.add("report.json") << report;
  files.done();
}

std::string how_far(const RunResult& result) {
  const auto finished = std::ranges::count_if(
      result.requests, [](const RequestRecord& r) { return r.finished.has_value(); });
  return fmt::format(
      "interrupted after {} steps, {:.6g} s simulated, {} of {} requests finished; the figures are "
      "of what was done",
      result.steps, seconds(result.duration), finished, result.requests.size());
}

/// Many short runs instead of one.
void run_pareto(const Options& options) {
  set_log_level(options.log);
  if (!options.out.empty()) make_output_directory(options.out);
  const Interruptible interruptible;
  const auto [points, batches] = pareto_front(options.request, options.jobs);
  if (std::filesystem::path out{options.out}; !out.empty()) {
    if (Interruptible::asked()) make_output_directory(out /= "interrupted");
    write_file_atomically(out / "pareto.csv", pareto_csv(points));
  }
  fmt::print("{}", options.json ? pareto_json(points) : pareto_table(points));
  throw_if_asked(points.size(), batches, "batches", "the table is of those");
}

void run(const Options& options) {
  const auto begun = std::chrono::steady_clock::now();
  set_log_level(options.log);
  const RunSpec spec = read_run(options.request);
  const std::optional<Trace> trace = load_trace(spec);
  const auto digest = trace ? std::optional{trace->digest} : std::nullopt;
  const auto left_out =
      trace ? std::optional{RowsLeftOut{trace->skipped, trace->bad_rows}} : std::nullopt;
  if (!options.out.empty()) {
    make_output_directory(options.out);
    check_apart(options);
  }

  const Interruptible interruptible;
  RunResult result;
  InsideFiles inside{options.inside, spec};
  try {
    ProgressLine line;
    result = run_simulation(spec, trace ? &*trace : nullptr,
                            [&](const RunProgress& progress) { line.update(progress); },
                            {.observer = inside.observer(),
                             .anatomy = !options.out.empty(),
                             .stop_asked = &Interruptible::asked});
  } catch (const InfeasibleError& error) {
    // The report of what does not fit is an answer too.
    const std::string report =
        infeasible_report_json(spec, error.what(), build_info(), digest, left_out);
    if (!options.out.empty()) {
      WholeFiles files{options.out};
      write_resolved(files.add("resolved.yaml"), spec, build_info());
      files.add("report.json") << report;
      files.done();
    }
    if (options.json) fmt::print("{}", report);
    throw;
  }
  const SimulatorFacts simulator = facts(begun);
  const std::string report = report_json(spec, result, simulator, build_info(), digest, left_out);
  const bool interrupted = Interruptible::asked() && !result.ended_by.empty();
  std::filesystem::path out{options.out};
  if (!out.empty()) {
    // What is left half done never takes the place of a run that was whole.
    if (interrupted) make_output_directory(out /= "interrupted");
    write_results(out, spec, result, report);
  }
  if (result.ended_by.empty() || inside.begun()) inside.finish();
  if (options.json) {
    fmt::print("{}", report);
  } else {
    fmt::print("{}", summary(spec, result, simulator));
    if (!options.out.empty()) fmt::print("\nReport: {}\n", (out / "report.json").string());
  }
  if (interrupted) throw InterruptedError(how_far(result));
  if (!result.ended_by.empty())
    throw SimulationError("stopped " + result.ended_by +
                          "; work is left, and the figures are of what was done");
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("run", "Simulate a platform serving a model under a workload");
  RunRequest& r = options->request;
  sub->add_option("--platform", r.platform, "Platform: a catalogue name or a YAML file");
  sub->add_option("--llm", r.llm, "Language model: a catalogue name or a YAML file");
  sub->add_option("--workload", r.workload,
                  "steady-decode, another catalogue name, or a trace FILE[:format]");
  sub->add_option("--serving", r.serving, "Serving policy: a catalogue name or a YAML file");
  sub->add_option("--chips", options->chips,
                  "So many packages instead of the platform's; auto: the fewest that hold it");
  sub->add_option("--set", r.sets, "key=value, e.g. platform.die.hbm.stacks=4; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--seed", r.seed, "Seed of all random draws, a whole number from 0")
      ->check(CLI::NonNegativeNumber);
  sub->add_option("--fidelity", r.fidelity, "How much of the silicon is simulated")
      ->check(CLI::IsMember(ValueText<Fidelity>::names()));
  sub->add_flag("--exact", options->exact,
                "Simulate every step: nothing is recalled (engine.recall=off)");
  sub->add_option("--resolved", r.resolved, "Repeat the run of a resolved.yaml");
  sub->add_option("--out", options->out, "Directory for report.json, CSV files and resolved.yaml");
  sub->add_flag("--json", options->json, "Print the report as one JSON document");
  sub->add_option("--log", options->log, "What is told on standard error; warn when absent")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}));
  sub->add_flag("--steps", options->steps, "With --out: a row per step in steps.csv");
  CLI::Option* timeline =
      sub->add_option("--timeline", options->inside.timeline,
                      "Trace of what every unit did, for Perfetto or chrome://tracing");
  CLI::Option* vcd = sub->add_option(
      "--vcd", options->inside.vcd, "Waveforms of the same: busy, stalls and queues of every unit");
  sub->add_option("--timeline-steps", options->inside.steps,
                  "With --timeline or --vcd: steps N or A..B of each instance, from 1 (default 1)");
  sub->add_option("--timeline-dies", options->inside.dies,
                  "Likewise: dies N or A..B; else one of those that did the same (--vcd: 0..7)");
  sub->add_flag("--pareto", options->pareto,
                "Batches 1, 2, 4, ...: throughput per chip against tokens/s of a user")
      ->excludes(timeline)
      ->excludes(vcd);
  sub->add_option("--jobs", options->jobs, "Runs at a time, with --pareto")
      ->check(CLI::Range(1, kMostJobs));
  sub->footer(
      "Example: reticle run --platform ref-asic --llm claude-class-mid --workload steady-64 "
      "--set workload.context=32768 --out results/a");
  sub->callback([options, sub] {
    const RunRequest& q = options->request;
    const bool named = !q.platform.empty() && !q.llm.empty() && !q.workload.empty();
    if (!q.resolved && !named)
      throw CLI::RequiredError("--platform, --llm and --workload (or --resolved)");
    const InsideOptions& inside = options->inside;
    for (const char* window : {"--timeline-steps", "--timeline-dies"})
      if (sub->count(window) > 0 && inside.timeline.empty() && inside.vcd.empty())
        throw CLI::RequiredError(std::string{window} + " needs --timeline or --vcd, which");
    if (options->steps) options->request.sets.push_back("engine.step_rows=true");
    if (options->exact) options->request.sets.push_back("engine.recall=off");
    if (!options->chips.empty()) {
      for (const auto& set : q.sets)
        for (const char* key : {"platform.nodes=", "platform.packages_per_node="})
          if (set.starts_with(key))
            throw ConfigError({}, "--chips", "sizes the deployment, and so does --set " + set);
      put_chips(options->request, options->chips);
    }
    options->pareto ? run_pareto(*options) : run(*options);
  });
}

}  // namespace reticle
