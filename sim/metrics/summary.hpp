// SPDX-License-Identifier: Apache-2.0
// The result as a person reads it: at most 100 columns, plain text.
#pragma once

#include <string>

#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Every column of printed parts adds up to its printed total.
std::string summary(const RunSpec& spec, const RunResult& result, const SimulatorFacts& simulator);

}  // namespace reticle
