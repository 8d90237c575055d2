// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reticle {

/// How a process that worked out one design point ended.
struct PointOutcome {
  int code = 0;        ///< of ExitCode; 128 + n: killed by signal n
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
};

/// Works out every point in a process of its own (SystemC elaborates once per process), `jobs` at a
/// time, begun in order. `work` returns the text that comes back; what it throws becomes the
/// point's exit code and message. Call it before any SystemC object exists. `on_done` is called as
/// each one ends; false from it: no further points are begun. No process outlives the call, or the
/// caller's. Throws SimulationError when no process can be started.
std::vector<PointOutcome> run_points(
    std::size_t points, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done = {},
    const PointRules& rules = {});

}  // namespace reticle
