// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/mapping/placement.hpp"

namespace reticle {

/// What the parallelism is chosen for.
struct PlanTarget {
  std::int64_t batch = 1;
  std::int64_t context = 1024;
  std::int64_t page_tokens = 16;  ///< default: vLLM's block
  std::int64_t max_tokens = 1;    ///< most tokens of one step
  bool operator==(const PlanTarget&) const = default;
};

/// Closed-form time of a decode step under `placement`: per layer the bytes of each tier over its
/// bandwidth, the GEMMs, and the idle-fabric collectives. Cheap and rough.
Picoseconds rough_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                              const Placement& placement, const ExpertRouter* router,
                              const PlanTarget& target);

/// The time of such a step from its programs (StepEstimate): of a sample of its layers, or of all
/// of them where the plan has stages.
Picoseconds estimate_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                                 const Placement& placement, const ExpertRouter* router,
                                 const PlanTarget& target);

/// What became of a plan that was looked at.
enum class PlanVerdict : std::uint8_t {
  Chosen,
  Slower,         ///< estimated, and not the fastest
  RoughlySlower,  ///< not estimated, as its rough time stands behind those of plans that were
  TooSmall,       ///< holds fewer streams than the batch, where others hold all
  NoRoom          ///< the weights do not fit, or leave no room for a page
};

/// A plan the policy leaves open.
struct PlanOption {
  ParallelPlan plan;
  PlanVerdict verdict = PlanVerdict::NoRoom;
  /// rough_decode_step; estimate_decode_step, or from a sample of the layers if that was too slow.
  std::optional<Picoseconds> rough{}, step{};
  std::string problem{};  ///< NoRoom: what does not fit
};

/// The plan that was chosen, and why.
struct PlanChoice {
  Placement placement;
  PlanTarget target;
  std::vector<PlanOption> options;  ///< the chosen one first, then from fast to slow, then the rest
};

/// Places `llm` under the plan with the least estimated step time that fits, among those the policy
/// leaves open; plans that are roughly several times slower than the best are not estimated. Throws
/// InfeasibleError when none does, ConfigError when the policy names a cut that the dies or the
/// model do not allow.
PlanChoice choose_plan(const PlatformSpec& platform, const LlmSpec& llm,
                       const PlacementPolicy& policy, const ExpertRouter* router,
                       const PlanTarget& target);

/// Its placement alone.
inline Placement choose_placement(const PlatformSpec& platform, const LlmSpec& llm,
                                  const PlacementPolicy& policy, const ExpertRouter* router,
                                  const PlanTarget& target) {
  return choose_plan(platform, llm, policy, router, target).placement;
}

}  // namespace reticle
