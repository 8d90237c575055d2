// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace reticle {

/// How a process that worked out one design point ended.
struct PointOutcome {
  int code = 0;        ///< of ExitCode; 128 + n: killed by signal n
  std::string output;  ///< what it returned, or the message of what it threw
};

/// Works out every point in a process of its own (SystemC elaborates once per process), `jobs` at a
/// time, begun in order. `work` returns the text that comes back; what it throws becomes the
/// point's exit code and message. Call it before any SystemC object exists. `on_done` is called as
/// each one ends; false from it: no further points are begun. Throws SimulationError when no
/// process can be started.
std::vector<PointOutcome> run_points(
    std::size_t points, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done = {});

}  // namespace reticle
