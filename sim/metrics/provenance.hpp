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
using Shares = std::map<std::string, double>;  ///< sum to 1, or there are none
struct Provenance {
  Shares time, energy;
  std::map<std::string, std::string> prices;  ///< the word of each energy component's price
};
inline constexpr std::string_view kUnstated = "unstated", kNothing = "nothing";

/// Time on the critical path and energy, each part given to the least trusted of the constants that
/// set its rate or price. A constant of nought sets nothing. Constant power is energy by its watts;
/// how long it flows rests on what the time does.
Provenance provenance(const RunSpec& spec, const RunResult& result, const EnergyReport& energy);

/// Shares of `energy` by the words of its components' prices, which may come from a stored report.
Shares energy_shares(const EnergyReport& energy, const std::map<std::string, std::string>& prices);

/// The least trusted word: datasheet, measured, derived, recalled, extrapolated, estimate, claim.
std::string_view weakest(std::span<const std::string_view> words);

}  // namespace reticle
