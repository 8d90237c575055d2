// SPDX-License-Identifier: Apache-2.0
// What power limits and temperatures made of a run, for the report and the summary.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Null where heat was not simulated.
nlohmann::ordered_json thermal_json(const RunSpec& spec, const RunResult& result);
/// Two lines for people; empty likewise.
std::string thermal_lines(const RunSpec& spec, const RunResult& result);

}  // namespace reticle
