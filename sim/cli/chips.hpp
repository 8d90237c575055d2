// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/config/read_run.hpp"

namespace reticle {

/// Scales the platform of `request` to so many packages: fewer than a node has are one node of
/// them, more are whole nodes. "auto": the fewest that hold the model and one sequence as long as
/// the workload's longest, or a steady decode's whole batch. Says the keys that do so by adding to
/// `request.sets`. Throws ConfigError for a number that cannot be built, InfeasibleError when no
/// number holds the model.
void put_chips(RunRequest& request, const std::string& chips);

/// As many chips as `request` has hold what "auto" would look for.
bool chips_hold(const RunRequest& request);

}  // namespace reticle
