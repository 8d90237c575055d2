// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/run_spec.hpp"
#include "sim/engine/run_observer.hpp"
#include "sim/engine/unit_slices.hpp"
#include "sim/trace/trace_events.hpp"

namespace reticle {

/// Numbers of steps or dies, both ends included.
struct NumberRange {
  std::int64_t first = 0, last = 0;
  [[nodiscard]] bool has(std::int64_t n) const { return n >= first && n <= last; }
};

struct TimelineOptions {
  NumberRange steps{1, 1};  ///< of each instance, from 1
  /// Dies to show, each one; nullopt: one of those that did the same at the same times, and no more
  /// than kMostEvents allow.
  std::optional<NumberRange> dies{};
};

/// Writes what the units did as a trace for Perfetto: a process per die with a track per unit, the
/// scheduler's steps and requests, counters of queues, cache and power (docs/reading-a-run.md).
///
/// Leaves out: single banks, channels and arrays, which work in step within their unit.
class Timeline final : public RunObserver {
 public:
  /// Of dies in one step: slices and changes of counters, some 120 B each; beyond, fewer dies are
  /// shown.
  static constexpr std::size_t kMostEvents = 120'000;

  /// Both must outlive the object.
  Timeline(std::ostream& out, const RunSpec& spec, const TimelineOptions& options);

  [[nodiscard]] bool wants(std::int32_t instance, std::int64_t step) const override;
  void ran(const SiliconStep& step) override;
  void scheduled(const ScheduledStep& step) override;
  void ended(const RunResult& result) override;

  [[nodiscard]] std::int64_t steps_shown() const { return steps_; }

 private:
  struct Shown {
    std::size_t die = 0;
    std::vector<UnitSlice> slices;
    std::vector<std::size_t> alike;  ///< dies that did the same
    std::size_t events = 0;          ///< it takes to show this
  };

  std::vector<Shown> choose(const SiliconStep& step, std::size_t& left_out) const;
  void show_die(const SiliconStep& step, const Shown& shown);
  void show_operators(const SiliconStep& step, const Shown& shown);
  void show_staging(const SiliconStep& step, const Shown& shown);
  void show_links(const SiliconStep& step, const std::vector<Shown>& shown);
  void show_power(const SiliconStep& step);
  /// The first lane of a track that is free at `begin`, taken until `end`.
  TrackId lane(TrackId track, std::string_view name, Picoseconds begin, Picoseconds end);
  void name_track(TrackId track, std::string_view name);
  void name_process(std::int64_t process, const std::string& name);

  TraceEventWriter trace_;
  const RunSpec& spec_;
  const TimelineOptions options_;
  std::int64_t steps_ = 0;
  std::int64_t parts_ = 0;  ///< of the step at hand, so far
  Picoseconds from_{}, to_{};
  std::string dies_note_;
  /// Per process and thread: until when each lane is taken.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Picoseconds>> lanes_;
  std::map<std::int64_t, std::string> processes_;
};

}  // namespace reticle
