// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// report.html: a run's report to look at, one file that needs nothing but itself. `report`: its
/// report.json. Where time went by operator, roofline, energy, residency, latencies, dies on the
/// floor plan, links, power and heat, inputs.
std::string run_page(const RunSpec& spec, const RunResult& result, std::string_view report);

}  // namespace reticle
