// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sweep_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <unordered_set>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/cli/slurm.hpp"
#include "sim/cli/sweep_point.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/sweep/best_points.hpp"
#include "sim/sweep/point_values.hpp"

namespace reticle {

namespace {
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// A bar on a terminal, a line now and then in a log.
class SweepProgress {
 public:
  SweepProgress(const SweepTally& tally, bool quiet)
      : tally_{tally}, quiet_{quiet}, terminal_{isatty(STDERR_FILENO) == 1} {}
  ~SweepProgress() {
    if (terminal_ && shown_) fmt::print(stderr, "\r\033[K");
  }
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  void begin(std::int64_t done, std::int64_t points) {
    first_ = done;
    points_ = points;
    begun_ = Clock::now();
  }
  void update(std::int64_t done) {
    const auto time = Clock::now();
    if (quiet_ || time < next_) return;
    next_ = time + (terminal_ ? kOnTerminal : kInLog);
    const double wall = seconds_since(begun_);
    const double rate = wall > 0 ? static_cast<double>(done - first_) / wall : 0;
    const auto share = static_cast<double>(done) / static_cast<double>(points_);
    std::string text = fmt::format("{} of {} points", done, points_);
    if (rate > 0)  // before the first point ends nothing is known of it
      text += fmt::format(", {:.1f}/s, {:.0f} s left", rate,
                          static_cast<double>(points_ - done) / rate);
    if (tally_.failures() > 0) text += fmt::format(", {} failed", tally_.failures());
    shown_ = true;
    constexpr int kWidth = 24;  // letters of the bar
    if (terminal_)
      fmt::print(stderr, "\r\033[K[{:<{}}] {}",
                 std::string(static_cast<std::size_t>(share * kWidth), '#'), kWidth, text);
    else
      fmt::print(stderr, "{}\n", text);
    std::fflush(stderr);
  }

 private:
  static constexpr auto kOnTerminal = std::chrono::milliseconds{200};  // as one reads
  static constexpr auto kInLog = std::chrono::milliseconds{30'000};    // a short log
  const SweepTally& tally_;
  const bool quiet_, terminal_;
  bool shown_ = false;
  std::int64_t first_ = 0, points_ = 0;
  Clock::time_point begun_ = Clock::now(), next_ = begun_ + kOnTerminal;
};

class SweepRunner {
 public:
  SweepRunner(const SweepSpec& sweep, const SweepOptions& options,
              const std::filesystem::path& store)
      : sweep_{sweep},
        options_{options},
        ground_{sweep},
        store_{made(store), identity_of(sweep, ground_.digest()), options.replace, options.kind},
        progress_{tally_, options.quiet} {}

  SweepTally run() {
    const Interruptible interruptible;
    const auto begun = Clock::now();
    take_over_array();
    if (stopped_) return tally(begun, std::ssize(store_.points()));
    if (options_.retry) (void)store_.reopen_failed();
    if (store_.outdated() > 0 && !options_.quiet)
      fmt::print(stderr, "{} points were worked out by another program or from other files: anew\n",
                 store_.outdated());
    while (!stopped_) {
      const std::vector<DesignPoint> batch = next_points(sweep_, points_, results_);
      if (batch.empty()) break;
      work_out(batch);
    }
    if (!stopped_) store_.end_at(std::ssize(points_));
    tally_.halving_kept_none =
        sweep_.halving && !stopped_ && std::ranges::none_of(points_, [&](const DesignPoint& p) {
          return p.fidelity == *sweep_.base.fidelity;
        });
    if (!stopped_) tally_.best = best_sentences(sweep_, store_.points(), results_);
    return tally(begun, std::ssize(points_));
  }

  /// The points that are there, without asking what would come after them.
  SweepTally run_given() {
    const Interruptible interruptible;
    const auto begun = Clock::now();
    std::vector<StoredPoint> open = store_.points();
    check_points(sweep_, open);
    const std::int64_t all = std::ssize(open);
    std::erase_if(open, [](const StoredPoint& p) { return p.answer.status != PointStatus::Open; });
    run_points_of(open, all);
    return tally(begun, all);
  }

 private:
  /// Nothing is left behind where the sweep's files cannot be read.
  static const std::filesystem::path& made(const std::filesystem::path& store) {
    make_output_directory(store.parent_path().empty() ? "." : store.parent_path());
    return store;
  }

  void work_out(const std::vector<DesignPoint>& batch) {
    const auto first = static_cast<std::int64_t>(points_.size());
    std::vector<StoredPoint> stored;
    for (const DesignPoint& point : batch)
      stored.push_back({.id = first + std::ssize(stored),
                        .point = point,
                        .inputs = inputs_json(sweep_, point),
                        .answer = {}});
    store_.put_points(stored);
    stored = store_.points(first);
    stored.resize(batch.size());  // what follows is of a later round, or of another design
    std::vector<StoredPoint> open;
    for (const StoredPoint& point : stored) {
      if (point.answer.status == PointStatus::Open)
        open.push_back(point);
      else
        count_answer(point.answer), ++tally_.before;
    }
    points_.insert(points_.end(), batch.begin(), batch.end());
    if (!options_.slurm)
      run_points_of(open, std::ssize(batch));
    else if (!open.empty())
      run_on_slurm(open);
    if (stopped_) return;
    for (const StoredPoint& point : store_.points(first)) {
      if (results_.size() == points_.size()) break;
      results_.push_back(result_of(sweep_, point.point, point.answer));
    }
  }

  SweepTally tally(Clock::time_point begun, std::int64_t points) {
    store_.commit();
    tally_.points = points;
    tally_.wall_s = seconds_since(begun);
    tally_.interrupted = stopped_;
    return std::move(tally_);
  }

  void run_points_of(const std::vector<StoredPoint>& open, std::int64_t all) {
    if (open.empty()) return;
    std::int64_t done = all - std::ssize(open);
    progress_.begin(done, all);
    Clock::time_point committed = Clock::now();
    const auto commit = [&] {
      if (seconds_since(committed) < kCommitSeconds) return;
      store_.commit();
      committed = Clock::now();
    };
    const auto go_on = [&] {
      commit();
      progress_.update(done);
      stopped_ = Interruptible::asked();
      return !stopped_;
    };
    (void)run_points(
        open.size(), options_.jobs,
        [&](std::size_t i) { return work_point_out(sweep_, ground_, open[i].point, known_); },
        [&](std::size_t i, const PointOutcome& outcome) {
          keep(open[i].id, outcome);
          ++done;
          commit();
          return true;
        },
        {.time_limit_s = sweep_.time_limit_s,
         .go_on = go_on,
         .chunk = open.front().point.fidelity == "roofline" ? kChunk : 1});
    store_.commit();
  }

  /// Shards of the open points, each a store of its own that a task works on, taken over in the
  /// end.
  void run_on_slurm(const std::vector<StoredPoint>& wanted) {
    SlurmArray array{options_.out / "slurm", options_.slurm_options};
    // Points and answers as the store has them now.
    const auto now_of = [&](bool open) {
      std::vector<StoredPoint> found;
      for (StoredPoint& p : store_.points(wanted.front().id))
        if (p.id <= wanted.back().id && (p.answer.status == PointStatus::Open) == open)
          found.push_back(std::move(p));
      return found;
    };
    for (int submissions = 0; !stopped_; ++submissions) {
      const std::vector<StoredPoint> open = now_of(true);
      if (open.empty()) break;
      if (submissions == kSubmissions)
        throw SimulationError(fmt::format("{} submissions left {} points open: see {}/task-*.log",
                                          kSubmissions, open.size(),
                                          (options_.out / "slurm").string()));
      submit(array, open);
      wait_for(array);
      if (stopped_) return;
      take_over(array);
    }
    array.clear();
    std::unordered_set<std::int64_t> asked;
    for (const StoredPoint& p : wanted) asked.insert(p.id);
    for (const StoredPoint& p : now_of(false))
      if (asked.contains(p.id)) {
        count_answer(p.answer);
        tally_.peak_rss_bytes = std::max(tally_.peak_rss_bytes, p.answer.peak_rss_bytes);
      }
  }

  /// What tasks of an earlier start have done is the store's before anything else happens: with
  /// Slurm it waits for them; alone it works on nothing that they work on.
  void take_over_array() {
    const SlurmArray array{options_.out / "slurm", options_.slurm_options};
    if (array.shards().empty()) return;
    if (options_.slurm)
      wait_for(array);
    else
      refuse_while_running(array);
    if (stopped_) return;
    take_over(array);
    array.clear();
  }

  void refuse_while_running(const SlurmArray& array) const {
    const auto refuse = [&](const std::string& why) {
      throw ConfigError({(options_.out / "slurm").string(), 0, 0}, "", why);
    };
    bool running = false;
    try {
      running = array.running();
    } catch (const ConfigError& error) {
      refuse(
          "cannot learn whether the job array still works on points of this sweep; where it does "
          "not, remove the file `job`: " +
          std::string{error.what()});
    }
    if (running)
      refuse(
          "a job array works on points of this sweep: wait for it, end it with scancel, or start "
          "with --engine slurm");
  }

  void take_over(const SlurmArray& array) {
    std::int64_t others = 0;
    for (const auto& shard : array.shards()) others += store_.merge(shard) ? 0 : 1;
    known_ = store_.known();
    if (others > 0 && !options_.quiet)
      fmt::print(stderr,
                 "{} shards in {} are of another sweep, other files or another program: their "
                 "results are kept by their inputs\n",
                 others, (options_.out / "slurm").string());
  }

  void wait_for(const SlurmArray& array) {
    auto pause = kFirstPoll;
    auto answered = Clock::now();
    while (!stopped_) {
      try {
        if (!array.running()) return;
        answered = Clock::now();
      } catch (const ConfigError&) {  // a controller that is restarted, or too busy
        if (seconds_since(answered) > kControllerSeconds) throw;
      }
      const auto begun = Clock::now();
      while (Clock::now() - begun < pause && !stopped_) {
        std::this_thread::sleep_for(kFirstPoll);
        stopped_ = Interruptible::asked();
      }
      pause = std::min(pause * 2, kLastPoll);
    }
  }

  /// Every task has each so-manyth point, so that all cover the whole.
  void submit(SlurmArray& array, const std::vector<StoredPoint>& open) {
    array.renew();
    const std::size_t tasks = std::min(options_.tasks, open.size());
    for (std::size_t task = 0; task < tasks; ++task) {
      std::vector<StoredPoint> mine;
      for (std::size_t i = task; i < open.size(); i += tasks) mine.push_back(open[i]);
      SweepStore{array.shard(task), store_.identity(), true, StoreKind::Shared}.put_points(mine);
    }
    array.submit(tasks, options_.jobs);
  }

  void keep(std::int64_t id, const PointOutcome& outcome) {
    bool answered = false;
    const PointAnswer answer = answer_of(outcome, sweep_, answered);
    tally_.peak_rss_bytes = std::max(tally_.peak_rss_bytes, outcome.peak_rss_bytes);
    // The same inputs may have been under way twice; the first to end is the result.
    if (answered) {
      ++tally_.answered;
      return count_answer(store_.answer_from_store(id, answer.digest, outcome.wall_s));
    }
    store_.finish(id, answer);
    if (!answer.digest.empty()) known_.insert(answer.digest);
    count_answer(answer);
  }

  void count_answer(const PointAnswer& answer) {
    ++tally_.by_status[answer.status];
    if (answer.status != PointStatus::Ok)
      tally_.first_reason.try_emplace(answer.status, answer.reason);
  }

  /// Answers are safe from a kill after so long.
  static constexpr double kCommitSeconds = 0.1;
  /// Of what tasks leave open, whatever ended them.
  static constexpr int kSubmissions = 3;
  /// A controller serves a whole cluster, and is not to be asked more often than need be.
  static constexpr auto kFirstPoll = std::chrono::milliseconds{500};
  static constexpr auto kLastPoll = std::chrono::milliseconds{16'000};
  static constexpr double kControllerSeconds = 600;
  /// Rooflines take milliseconds, about as long as to begin a process.
  static constexpr std::size_t kChunk = 64;

  const SweepSpec& sweep_;
  const SweepOptions& options_;
  const KeepYaml keep_files_;
  const SweepGround ground_;
  SweepStore store_;
  SweepTally tally_;
  SweepProgress progress_;
  std::unordered_set<std::string> known_ = store_.known();  ///< a process adds its own to its copy
  std::vector<DesignPoint> points_;
  std::vector<PointResult> results_;
  bool stopped_ = false;
};
}  // namespace

std::int64_t SweepTally::failures() const {
  std::int64_t sum = 0;
  for (const auto& [status, number] : by_status)
    if (status == PointStatus::Stuck || status == PointStatus::TimedOut ||
        status == PointStatus::Crashed)
      sum += number;
  return sum;
}

SweepIdentity identity_of(const SweepSpec& sweep, const std::string& base) {
  const BuildInfo build = build_info();
  return {sweep.name, sweep.text, base, build.version, build.git_revision, sweep.given};
}

void add_sets(SweepSpec& sweep, const std::vector<std::string>& sets) {
  for (const auto& assignment : sets) {
    const std::string key = assignment.substr(0, assignment.find('='));
    const auto is_key = [&](const SweepColumn* column) { return column->key == key; };
    if (std::ranges::any_of(columns_of(sweep), is_key) ||
        std::ranges::any_of(sweep.derived, [&](const DerivedKey& d) { return d.key == key; }))
      throw ConfigError({}, "--set " + assignment,
                        key + " is an axis of sweep " + sweep.name +
                            ", or follows from its axes: change the sweep's file");
    sweep.base.sets.push_back(assignment);
    sweep.given.push_back(assignment);
  }
}

SweepSpec sweep_of(const SweepIdentity& identity) {
  SweepSpec sweep = parse_sweep(identity.definition, identity.name);
  add_sets(sweep, identity.sets);
  return sweep;
}

SweepTally run_sweep_task(const std::filesystem::path& store, std::size_t jobs) {
  // The shard of a task that was killed may have to be mended, which opening it to write does.
  const SweepIdentity identity = SweepStore{store}.identity();
  const SweepSpec sweep = sweep_of(identity);
  SweepOptions options;
  options.jobs = jobs;
  options.quiet = true;
  options.kind = StoreKind::Shared;
  return SweepRunner{sweep, options, store}.run_given();
}

SweepTally run_sweep(const SweepSpec& sweep, const SweepOptions& options) {
  return SweepRunner{sweep, options, options.out / "sweep.sqlite"}.run();
}

}  // namespace reticle
