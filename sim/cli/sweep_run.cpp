// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sweep_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

#include "sim/cli/command.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/cli/sweep_point.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/sweep/point_values.hpp"

namespace reticle {

namespace {
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

volatile std::sig_atomic_t interrupted = 0;

/// While one lives, SIGINT and SIGTERM ask the sweep to stop.
class Interruptible {
 public:
  Interruptible() {
    interrupted = 0;
    struct sigaction asked {};
    asked.sa_handler = [](int) { interrupted = 1; };
    ::sigaction(SIGINT, &asked, &before_int_);
    ::sigaction(SIGTERM, &asked, &before_term_);
  }
  ~Interruptible() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct sigaction before_int_ {
  }, before_term_{};
};

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
    const std::string left =
        rate > 0 ? fmt::format("{:.0f} s left", static_cast<double>(points_ - done) / rate) : "";
    const std::string failed =
        tally_.failures() > 0 ? fmt::format("  {} failed", tally_.failures()) : "";
    shown_ = true;
    constexpr int kWidth = 24;
    if (terminal_)
      fmt::print(stderr, "\r\033[K[{:<{}}] {} of {}  {:.1f}/s  {}{}",
                 std::string(static_cast<std::size_t>(share * kWidth), '#'), kWidth, done, points_,
                 rate, left, failed);
    else
      fmt::print(stderr, "{} of {} points, {:.1f}/s, {}{}\n", done, points_, rate, left, failed);
    std::fflush(stderr);
  }

 private:
  static constexpr auto kOnTerminal = std::chrono::milliseconds{200};
  static constexpr auto kInLog = std::chrono::milliseconds{30'000};
  const SweepTally& tally_;
  const bool quiet_, terminal_;
  bool shown_ = false;
  std::int64_t first_ = 0, points_ = 0;
  Clock::time_point begun_ = Clock::now(), next_ = begun_ + kOnTerminal;
};

class SweepRunner {
 public:
  SweepRunner(const SweepSpec& sweep, const SweepOptions& options)
      : sweep_{sweep},
        options_{options},
        ground_{sweep},
        store_{options.out / "sweep.sqlite", identity_of(sweep, ground_.digest()), options.replace},
        progress_{tally_, options.quiet} {}

  SweepTally run() {
    const Interruptible interruptible;
    const auto begun = Clock::now();
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
    store_.commit();
    tally_.points = std::ssize(points_);
    tally_.wall_s = seconds_since(begun);
    tally_.interrupted = stopped_;
    return std::move(tally_);
  }

 private:
  void work_out(const std::vector<DesignPoint>& batch) {
    const auto first = static_cast<std::int64_t>(points_.size());
    std::vector<std::string> inputs;
    for (const DesignPoint& point : batch) inputs.push_back(inputs_json(sweep_, point));
    store_.put_points(first, batch, inputs);
    std::vector<StoredPoint> stored = store_.points(first);
    stored.resize(batch.size());  // what follows is of a later round, or of another design
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < stored.size(); ++i) {
      if (stored[i].answer.status == PointStatus::Open)
        open.push_back(i);
      else
        count(stored[i].answer), ++tally_.before;
    }
    points_.insert(points_.end(), batch.begin(), batch.end());
    run_open(batch, first, open);
    if (stopped_) return;
    for (const StoredPoint& point : store_.points(first)) {
      if (results_.size() == points_.size()) break;
      results_.push_back(result_of(sweep_, point.point, point.answer));
    }
  }

  void run_open(const std::vector<DesignPoint>& batch, std::int64_t first,
                const std::vector<std::size_t>& open) {
    auto done = static_cast<std::int64_t>(batch.size() - open.size());
    progress_.begin(done, std::ssize(batch));
    Clock::time_point committed = Clock::now();
    const auto commit = [&] {
      if (seconds_since(committed) < kCommitSeconds) return;
      store_.commit();
      committed = Clock::now();
    };
    const PointRules rules{.time_limit_s = sweep_.time_limit_s,
                           .go_on =
                               [&] {
                                 commit();
                                 progress_.update(done);
                                 stopped_ = interrupted != 0;
                                 return !stopped_;
                               },
                           .chunk = batch.front().fidelity == "roofline" ? kChunk : 1};
    (void)run_points(
        open.size(), options_.jobs,
        [&](std::size_t i) { return work_point_out(sweep_, ground_, batch[open[i]], known_); },
        [&](std::size_t i, const PointOutcome& outcome) {
          keep(first + static_cast<std::int64_t>(open[i]), outcome);
          ++done;
          commit();
          return true;
        },
        rules);
    store_.commit();
  }

  void keep(std::int64_t id, const PointOutcome& outcome) {
    bool answered = false;
    const PointAnswer answer = answer_of(outcome, sweep_, answered);
    tally_.peak_rss_bytes = std::max(tally_.peak_rss_bytes, outcome.peak_rss_bytes);
    // The same inputs may have been under way twice; the first to end is the result.
    if (answered) {
      ++tally_.answered;
      store_.answer_from_store(id, answer.digest, outcome.wall_s);
      return count(store_.points(id).front().answer);
    }
    store_.finish(id, answer);
    if (!answer.digest.empty()) known_.insert(answer.digest);
    count(answer);
  }

  void count(const PointAnswer& answer) { ++tally_.by_status[answer.status]; }

  /// Answers are safe from a kill after so long.
  static constexpr double kCommitSeconds = 0.1;
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
  std::string definition = sweep.text;
  for (const auto& assignment : sweep.base.sets) definition += "\n# --set " + assignment;
  return {sweep.name, definition, base, build.version, build.git_revision};
}

SweepTally run_sweep(const SweepSpec& sweep, const SweepOptions& options) {
  make_output_directory(options.out);
  return SweepRunner{sweep, options}.run();
}

}  // namespace reticle
