// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

class RunObserver;

/// What a run shows of its inside, beyond its result.
struct RunViews {
  RunObserver* observer = nullptr;  ///< null: nobody watches
  bool anatomy = false;             ///< RunResult::anatomy is filled
  /// Asked after each step; true: the run ends there, and RunResult::ended_by says so.
  std::function<bool()> stop_asked{};
};

/// How far a run has come; `total` requests or steps.
struct RunProgress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  Picoseconds simulated{};
  std::int64_t steps = 0;
};

/// Runs `spec` to its end and returns what was counted. Each call has a SystemC kernel of its own:
/// nothing of SystemC may be alive from before. `trace` is the workload's trace, null for a steady
/// decode. `on_progress` is called after steps. Throws
/// InfeasibleError, ConfigError, SimulationError.
RunResult run_simulation(const RunSpec& spec, const Trace* trace,
                         const std::function<void(const RunProgress&)>& on_progress,
                         const RunViews& views = {});

}  // namespace reticle
