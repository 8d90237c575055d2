// SPDX-License-Identifier: Apache-2.0
// Which expert group (dies that share its experts) has which routed experts of a layer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/mapping/placement_policy.hpp"

namespace reticle {

struct ExpertGroups {
  std::vector<std::int32_t> home;                 ///< by expert
  std::vector<std::optional<std::int32_t>> copy;  ///< by expert: the group of a second copy
};

/// Deals experts to `groups`, as many to each as whole numbers allow; `heat`: expected picks of
/// each, in any unit. Greedy is longest-processing-time-first with a bound on the number (Graham
/// 1969), as expert-parallel load balancers do [DeepSeek-V3 report, section 3.4]. The `redundant`
/// hottest get a copy in a second group, none where there is one group alone: by number in the one
/// that has least to do then; greedily both copies are dealt as experts of half the heat.
ExpertGroups deal_experts(std::span<const double> heat, std::int64_t groups, ExpertBalance balance,
                          std::int64_t redundant);

/// Expected picks of each group; copies share those of their expert evenly.
std::vector<double> expected_loads(std::span<const double> heat, const ExpertGroups& dealt,
                                   std::int64_t groups);

}  // namespace reticle
