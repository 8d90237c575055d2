// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "models/package/deployment.hpp"

namespace reticle {

/// Where the time of the finished step went: walks from the instruction that ended last back to the
/// step's start, from each instruction to what made it start or end when it did, across dies where
/// an exchange was the cause. Every picosecond is charged once, so the sum is the step's duration.
std::array<Picoseconds, kTimeCategoryCount> critical_path(const Deployment& deployment,
                                                          const StepPrograms& step,
                                                          Picoseconds begun);

}  // namespace reticle
