// SPDX-License-Identifier: Apache-2.0
// What a result rests on: its time and its energy by the confidence words of the constants that set
// them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/accounts/energy.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Shares by word of kConfidenceWords; `kUnstated`: set by hand; `kNothing`: time without work.
struct Provenance {
  std::map<std::string, double> time, energy;  ///< each sums to 1, or is empty
};
inline constexpr std::string_view kUnstated = "unstated", kNothing = "nothing";

/// Time on the critical path and energy, each part given to the least trusted of the constants that
/// set its rate or price. A constant of nought sets nothing. Constant power is energy by its watts;
/// how long it flows rests on what the time does.
Provenance provenance(const RunSpec& spec, const RunResult& result, const EnergyReport& energy);

/// The least trusted word: datasheet, measured, derived, recalled, extrapolated, estimate, claim.
std::string_view weakest(std::span<const std::string_view> words);

}  // namespace reticle
