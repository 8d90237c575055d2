// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "models/package/deployment.hpp"
#include "sim/mapping/program_label.hpp"

namespace reticle {

/// Parts of a step by the label of the instruction they are charged to.
using PathByLabel = std::array<std::array<Picoseconds, kTimeCategoryCount>, kLabelCount>;

/// Where the time of the finished step went: walks from the instruction that ended last back to the
/// step's start, from each instruction to what made it start or end when it did, across dies where
/// an exchange was the cause. Every picosecond is charged once, so the sum is the step's duration.
/// `by_label`, where given, is filled with the same time told apart by label too.
std::array<Picoseconds, kTimeCategoryCount> critical_path(const Deployment& deployment,
                                                          const StepPrograms& step,
                                                          Picoseconds begun,
                                                          PathByLabel* by_label = nullptr);

}  // namespace reticle
