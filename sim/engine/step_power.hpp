// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "sim/engine/run_observer.hpp"

namespace reticle {

/// What power is told apart by.
enum class PowerModule : std::uint8_t { Sram, Hbm, Far, Wires, Mac, Vector, Fabric, Constant };
inline constexpr std::size_t kPowerModuleCount = 8;
inline constexpr std::array<std::string_view, kPowerModuleCount> kPowerModuleNames{
    "sram", "hbm", "far", "wires", "mac", "vector", "fabric", "constant"};

using ModuleWatts = std::array<double, kPowerModuleCount>;

/// Power of all dies over one step.
struct StepPower {
  Picoseconds bin{};
  std::vector<ModuleWatts> watts;  ///< of each bin, from the step's begin on
};

/// Spreads the energy of the step's counts over its instructions, in proportion to their bytes and
/// operations, and that of each evenly over the time it took. Energies of the bins add up to what
/// the step is priced at.
StepPower step_power(const SiliconStep& step, std::size_t bins);

}  // namespace reticle
