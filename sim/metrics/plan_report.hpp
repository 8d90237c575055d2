// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/metrics/priced_json.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// What the plan was chosen for and from: `chosen_for`, `why`, `considered`.
Json plan_choice_json(const InstanceResult& result);

/// Why this plan, in a sentence or two.
std::string plan_reason(const InstanceResult& result);

}  // namespace reticle
