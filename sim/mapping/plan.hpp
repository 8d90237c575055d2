// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/mapping/placement.hpp"

namespace reticle {

/// What the parallelism is chosen for.
struct PlanTarget {
  std::int64_t batch = 1;
  std::int64_t context = 1024;
  std::int64_t page_tokens = 16;
  std::int64_t max_tokens = 1;  ///< most tokens of one step
};

/// Closed-form time of a decode step under `placement`: per layer the bytes of each tier over its
/// bandwidth, the GEMMs, and the idle-fabric collectives. Cheap and rough.
Picoseconds rough_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                              const Placement& placement, const ExpertRouter* router,
                              const PlanTarget& target);

/// The time of such a step from the programs of a sample of its layers (StepEstimate).
Picoseconds estimate_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                                 const Placement& placement, const ExpertRouter* router,
                                 const PlanTarget& target);

/// Places `llm` under the plan with the least estimated step time that fits, among those the policy
/// leaves open; plans that are roughly several times slower than the best are not estimated. Throws
/// InfeasibleError when none does, ConfigError when the policy names a cut that the dies or the
/// model do not allow.
Placement choose_placement(const PlatformSpec& platform, const LlmSpec& llm,
                           const PlacementPolicy& policy, const ExpertRouter* router,
                           const PlanTarget& target);

}  // namespace reticle
