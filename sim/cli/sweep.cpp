// SPDX-License-Identifier: Apache-2.0
// reticle sweep: many design points, and what they say together.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/base/log.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/cli/slurm.hpp"
#include "sim/cli/sweep_point.hpp"
#include "sim/cli/sweep_run.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/sweep/analysis.hpp"
#include "sim/sweep/best_points.hpp"

namespace reticle {

namespace {
struct Options {
  std::string file;
  std::vector<std::string> sets;
  std::string out;
  SweepOptions run;
  std::string engine = "local";
  bool resume = true;  ///< said or not, a store is gone on from
};

/// Of the subcommands that read a store.
struct ReadOptions {
  std::string store;
  std::string out;
  std::string format = "csv";
};

std::string tally_text(const SweepTally& tally, const std::string& out) {
  std::string text = fmt::format("{} points in {:.1f} s", tally.points, tally.wall_s);
  for (const auto& [status, number] : tally.by_status)
    text += fmt::format(", {} {}", number, name_of(status));
  if (tally.before > 0) text += fmt::format("; {} were there before", tally.before);
  if (tally.answered > 0) text += fmt::format("; {} answered by the same inputs", tally.answered);
  if (tally.peak_rss_bytes > 0)
    text +=
        fmt::format("; largest process {:.0f} MB", static_cast<double>(tally.peak_rss_bytes) / 1e6);
  for (const auto& [status, reason] : tally.first_reason)
    text += fmt::format("\n  {}, the first: {}", name_of(status), reason);
  for (const auto& sentence : tally.best) text += "\n" + sentence;
  if (tally.best.empty() && !tally.interrupted && tally.by_status.contains(PointStatus::Ok))
    text += "\nNo point keeps the limits of the sweep and of the hardware.";
  return text + fmt::format("\nStore: {}\nMore: reticle sweep report {}\n",
                            (std::filesystem::path{out} / "sweep.sqlite").string(), out);
}

/// A store, and what its file said.
struct Stored {
  SweepStore store;
  SweepSpec sweep;
  std::vector<StoredPoint> points;
  explicit Stored(const std::string& where)
      : store{store_of(where)}, sweep{sweep_of(store.identity())}, points{store.points()} {}
};

/// Beside the store, unless another place is asked for.
std::filesystem::path place_of(const ReadOptions& options) {
  const std::filesystem::path out = options.out.empty() ? store_of(options.store).parent_path()
                                                        : std::filesystem::path{options.out};
  make_output_directory(out.empty() ? "." : out);
  return out;
}

/// The front, or as many of its points as fit on a screen.
std::string front_text(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                       const std::vector<std::int64_t>& front) {
  constexpr std::size_t kRows = 12;
  std::string text = fmt::format("Front: {} of {} points", front.size(), points.size());
  if (front.empty()) return text + "\n";
  const SweepObjective& by = sweep.objectives[front_order(sweep)];
  text +=
      fmt::format(", {} {} first{}:\n", by.better == Better::More ? "most" : "least", by.name,
                  front.size() > kRows ? fmt::format("; {} of them, more on the page", kRows) : "");
  return text + front_table(sweep, points, front, kRows);
}

void report(const ReadOptions& options) {
  const Stored stored{options.store};
  const SweepAnalysis analysis = analyse(stored.sweep, stored.points);
  const std::string json =
      analysis_json(stored.sweep, stored.points, analysis, stored.store.identity());
  const std::filesystem::path out = place_of(options);
  WholeFiles files{out};
  files.add("analysis.json") << json;
  files.add("points.csv") << points_csv(stored.sweep, stored.points, stored.store.identity());
  files.add("report.html") << analysis_page(json, stored.sweep.title);
  files.done();
  for (const auto* sentences : {&analysis.best, &analysis.notes, &analysis.knees})
    for (const auto& sentence : *sentences) fmt::print("{}\n", sentence);
  fmt::print("{}Page: {}\nPictures: scripts/plot_sweep.py {}\n",
             front_text(stored.sweep, stored.points, analysis.front),
             (out / "report.html").string(), out.string());
}

void export_points(const ReadOptions& options) {
  const Stored stored{options.store};
  fmt::print("{}", options.format == "csv"
                       ? points_csv(stored.sweep, stored.points, stored.store.identity())
                       : points_json(stored.sweep, stored.points, stored.store.identity()));
}

void status(const ReadOptions& options) {
  const Stored stored{options.store};
  std::map<std::int64_t, PointStatus> status_of;
  for (const StoredPoint& point : stored.points) status_of[point.id] = point.answer.status;
  // What tasks have done is in their shards until it is taken over.
  const SlurmArray array{store_of(options.store).parent_path() / "slurm", {}};
  std::string unread;
  for (const auto& shard : array.shards()) try {
      for (const StoredPoint& point : SweepStore{shard, StoreKind::Shared}.points())
        if (point.answer.status != PointStatus::Open) status_of[point.id] = point.answer.status;
    } catch (const ConfigError& error) {  // its task was killed, or writes: reading mends nothing
      unread += fmt::format("  not counted: {}\n", error.what());
    }
  std::map<std::string_view, std::int64_t> by_status;
  for (const auto& [id, status] : status_of) ++by_status[name_of(status)];
  fmt::print("{}: {} points\n", stored.store.identity().name, stored.points.size());
  for (const auto& [name, number] : by_status) fmt::print("  {:<12}{}\n", name, number);
  fmt::print("{}", unread);
  if (const std::string tasks = array.state(); !tasks.empty()) fmt::print("{}", tasks);
}

/// A sweep without one result says nothing, and its caller should know.
void check_result(const SweepTally& tally) {
  const auto number = [&](PointStatus status) {
    const auto found = tally.by_status.find(status);
    return found == tally.by_status.end() ? 0 : found->second;
  };
  if (tally.halving_kept_none)
    throw InfeasibleError(
        "halving kept no point: no roofline is within the limits of the sweep and "
        "of the hardware, see `reticle sweep report`");
  if (number(PointStatus::Ok) > 0 || tally.points == 0) return;
  const std::string none = "no point has a result";
  if (number(PointStatus::Refused) == tally.points) throw ConfigError(none + ": all were refused");
  if (tally.failures() > 0) throw SimulationError(none);
  throw InfeasibleError(none);
}

void sweep(Options& options) {
  SweepSpec spec = read_sweep(options.file);
  add_sets(spec, options.sets);
  check_first_points(spec);
  if (options.out.empty()) options.out = "results/" + spec.name;
  options.run.out = options.out;
  options.run.slurm = options.engine == "slurm";
  if (options.run.slurm) options.run.kind = StoreKind::Shared;
  // Cores of this machine say nothing of a node's, where --jobs becomes --cpus-per-task.
  if (options.run.jobs == 0)
    options.run.jobs = options.run.slurm ? 1 : std::max(1U, std::thread::hardware_concurrency());
  const SweepTally tally = run_sweep(spec, options.run);
  fmt::print("{}", tally_text(tally, options.out));
  if (tally.interrupted) {
    std::int64_t done = 0;
    for (const auto& [status, number] : tally.by_status) done += number;
    throw InterruptedError(
        fmt::format("interrupted after {} of {} points: the same command goes on from here", done,
                    tally.points));
  }
  check_result(tally);
}
}  // namespace

void add_sweep(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("sweep", "Many design points, in processes beside each other");
  sub->add_option("file", options->file, "A sweep: a catalogue name or a YAML file");
  sub->add_option("--set", options->sets, "key=value for every point; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--out", options->out, "Directory of the store; results/NAME otherwise");
  options->run.jobs = 0;
  sub->add_option("--jobs", options->run.jobs,
                  "Points at a time; as many as this machine has cores, and 1 per task with slurm")
      ->check(CLI::Range(1, kMostJobs));
  sub->add_flag("--resume", options->resume, "Go on from the store; it is the default");
  sub->add_flag("--retry", options->run.retry,
                "Also points that crashed, were stuck or ran out of time");
  sub->add_flag("--replace", options->run.replace,
                "The store holds another sweep: its results stay, its points go");
  sub->add_option("--engine", options->engine, "local, or slurm: job arrays of a cluster")
      ->check(CLI::IsMember({"local", "slurm"}));
  sub->add_option("--tasks", options->run.tasks, "Of a job array, at most")
      ->check(CLI::Range(1, kMostJobs));
  sub->add_option("--sbatch", options->run.slurm_options,
                  "An option for sbatch, such as --sbatch=--partition=short; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_flag("--quiet", options->run.quiet, "No progress");
  sub->footer("Example: reticle sweep sram-fraction-x-dies --jobs 2 --out results/a");
  const auto reader = [&](const char* name, const char* what, void (*run)(const ReadOptions&)) {
    auto mine = std::make_shared<ReadOptions>();
    CLI::App* reading = sub->add_subcommand(name, what);
    reading->add_option("store", mine->store, "Directory of a sweep, or its sweep.sqlite")
        ->required();
    reading->callback([mine, run] { run(*mine); });
    return std::pair{reading, mine};
  };
  const auto [reporting, report_options] = reader(
      "report", "Fronts, heat maps, sensitivity: report.html, analysis.json, points.csv", report);
  reporting->add_option("--out", report_options->out, "Another directory than the store's");
  const auto [exporting, export_options] =
      reader("export", "Every point, to standard output", export_points);
  exporting->add_option("--format", export_options->format, "csv | json")
      ->check(CLI::IsMember({"csv", "json"}));
  reader("status", "How many points are done", status);
  auto task = std::make_shared<std::pair<std::string, std::size_t>>("", 1);
  CLI::App* working =
      sub->add_subcommand("task", "The shard of a job array's task: --engine slurm");
  working->add_option("shard", task->first, "Its store")->required();
  working->add_option("--jobs", task->second, "Points at a time")->check(CLI::Range(1, kMostJobs));
  working->callback([task] {
    if (run_sweep_task(task->first, task->second).interrupted)
      throw InterruptedError("interrupted");
  });
  sub->callback([options, sub] {
    if (!sub->get_subcommands().empty()) return;
    if (options->file.empty()) throw CLI::RequiredError("file");
    sweep(*options);
  });
}

}  // namespace reticle
