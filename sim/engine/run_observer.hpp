// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "models/package/platform_spec.hpp"
#include "sim/engine/link_log.hpp"
#include "sim/engine/step_executor.hpp"
#include "sim/metrics/run_result.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

class Deployment;

/// A step, or a part of one (a draft's pass), as the silicon ran it. Valid during the call.
struct SiliconStep {
  std::int32_t instance = 0;
  const Deployment& deployment;
  const PlatformSpec& platform;  ///< of the instance
  const StepPrograms& programs;
  Picoseconds host_from{};  ///< when the host began with it
  Picoseconds begun{};      ///< when the dies did
  Picoseconds ended{};
  const StepOutcome& outcome;
  std::span<const LinkUse> links;  ///< empty where the fabric's form tells of none
};

/// A step as the scheduler had it. Valid during the call.
struct ScheduledStep {
  std::int32_t instance = 0;
  std::int64_t number = 0;  ///< of the instance's steps, from 1
  Picoseconds begun{}, ended{};
  const StepLoad& load;
  const StepOutcome& outcome;
  ResidencySample after;  ///< its end
  Tier home{};            ///< of keys and values
};

/// Watches a run from outside. Nothing of the run depends on it, but that steps it wants to see are
/// simulated where recall would have answered them.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// `step`: of the instance's steps, from 1.
  [[nodiscard]] virtual bool wants(std::int32_t instance, std::int64_t step) const = 0;
  /// Parts of a step come before the step.
  virtual void ran(const SiliconStep& step) = 0;
  virtual void scheduled(const ScheduledStep& step) = 0;
  /// The run is over.
  virtual void ended(const RunResult& result) = 0;
};

}  // namespace reticle
