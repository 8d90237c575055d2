// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reticle {

/// What the work on one design point came to.
struct PointOutcome {
  int code = 0;        ///< of ExitCode; 128 + n: its process was killed by signal n
  std::string output;  ///< what it returned, or the message of what it threw
  bool timed_out = false;
  double wall_s = 0;
  std::int64_t peak_rss_bytes = 0;
};

/// Beside the points themselves.
struct PointRules {
  std::optional<double> time_limit_s{};  ///< of a point; it is killed then
  /// Asked several times a second; false from it: those under way are killed, and not reported.
  std::function<bool()> go_on{};
  /// So many points at most go through one process, one after the other: where points take
  /// milliseconds. Whoever ends a process ends one point; the others of it go to another.
  std::size_t chunk = 1;
};

/// Works out points in processes of their own, so that none can harm another, `jobs` at a time,
/// begun in order. `work` returns the text that comes back; what it throws becomes the
/// point's exit code and message. Call it before any SystemC object exists. `on_done` is called as
/// each one ends; false from it: no further points are begun. No process outlives the call, or the
/// caller's. Throws SimulationError when no process can be started.
std::vector<PointOutcome> run_points(
    std::size_t points, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done = {},
    const PointRules& rules = {});

}  // namespace reticle
