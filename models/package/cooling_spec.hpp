// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/base/units.hpp"

namespace reticle {

/// How a package sheds its heat, and what its clock does when it cannot (configs/cooling).
struct CoolingParams {
  std::string standard;
  double coolant_c = 0;  ///< as it comes in
  // Of 1 mm2 of die, K mm2/W:
  double die_to_lid = 0;
  double lid_to_plate = 0;      ///< plate: cold plate, or heat sink
  double plate_to_coolant = 0;  ///< its warming along the way included
  // Between neighbouring dies of a package, W/K:
  double die_spread = 0;  ///< in one piece of silicon; 0: dies are apart
  double lid_spread = 0;
  double plate_spread = 0;
  // Under 1 mm2 of die, J/(K mm2):
  double die_capacity = 0, lid_capacity = 0, plate_capacity = 0;
  /// Of the dies' static power, at the reference temperature; the rest are clocks.
  double leakage_share = 1;
  double leakage_doubling_k = 0;     ///< so many kelvin double it
  double leakage_reference_c = 0;    ///< where it is what the prices say
  double throttle_c = 0;             ///< die: the clock steps down above it
  double recover_k = 0;              ///< and up again so far below
  double shutdown_c = 0;             ///< die: nothing works above it
  double package_power_limit_w = 0;  ///< 0 = not known
  double clock_floor = 0;            ///< least share of the clock
  double clock_step = 0;             ///< share of the clock that a step takes
  double vf_exponent = 0;            ///< dynamic power goes as clock to this
  Picoseconds period{};              ///< of the controller: one step at a time
};

}  // namespace reticle
