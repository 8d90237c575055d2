// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "models/package/event_counts.hpp"
#include "sim/mapping/roofline.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// What one step took and counted.
struct StepOutcome {
  Picoseconds duration{};
  std::array<Picoseconds, kTimeCategoryCount> breakdown{};  ///< sums to duration
  EventCounts counts;
  RooflineStep roofline;
  std::int64_t picks = 0, dropped_picks = 0;  ///< of routed experts, over all layers
  ExpertTraffic experts;

  /// What came after it, as a part of the same step; what bounds it is what bounds the last part.
  StepOutcome& operator+=(const StepOutcome& next) {
    duration += next.duration;
    for (std::size_t c = 0; c < kTimeCategoryCount; ++c) breakdown[c] += next.breakdown[c];
    counts += next.counts;
    roofline.duration += next.roofline.duration;
    roofline.limit = next.roofline.limit;
    picks += next.picks;
    dropped_picks += next.dropped_picks;
    experts += next.experts;
    return *this;
  }
};

/// Carries out a step. Called from a SystemC thread at the step's start; returns at its end, with
/// that much simulated time gone by.
class StepExecutor {
 public:
  virtual ~StepExecutor() = default;
  virtual StepOutcome execute(const StepLoad& load) = 0;
  /// The step is answered elsewhere: leaves what it would leave to later steps (experts in SRAM),
  /// in no time. Returns where its experts would have come from, if that depends on earlier steps.
  virtual ExpertTraffic pass(const StepLoad& /*load*/) { return {}; }
};

}  // namespace reticle
