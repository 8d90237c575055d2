// SPDX-License-Identifier: Apache-2.0
// Smaller deployments of the same hardware: equal parts of one, and what is left of one.
#pragma once

#include <cstdint>
#include <vector>

#include "models/package/platform_spec.hpp"

namespace reticle {

/// One of `parts` equal parts of the deployment: whole nodes, or whole packages behind a node's
/// switch or full mesh, whose parts have the whole's bandwidth to themselves. Dies of part i are
/// those from i x (dies of a part) on. Prices per node stay those of the whole. Throws
/// InfeasibleError when it cannot be cut so.
PlatformSpec part_of(const PlatformSpec& platform, std::int64_t parts);

/// What can go on when a die is gone, the largest first: whole nodes of several; else packages of a
/// node; else dies of a package (whole rows of a mesh). Empty: nothing is left.
std::vector<PlatformSpec> without_a_die(const PlatformSpec& platform);

}  // namespace reticle
