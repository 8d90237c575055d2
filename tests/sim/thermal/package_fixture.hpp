// SPDX-License-Identifier: Apache-2.0
// A package with round numbers: 100 mm2 dies, 1 K/W from die to coolant.
#pragma once

#include "models/package/platform_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle::test {

inline PlatformSpec package_of(std::int64_t dies) {
  PlatformSpec platform;
  platform.name = "test";
  platform.dies_per_package = dies;
  platform.die.area_mm2 = 100;
  CoolingParams cooling;
  cooling.standard = "test";
  cooling.coolant_c = 40;
  cooling.die_to_lid = 20;
  cooling.lid_to_plate = 30;
  cooling.plate_to_coolant = 50;
  cooling.lid_spread = 0.8;
  cooling.plate_spread = 2;
  cooling.die_capacity = 0.00126;
  cooling.lid_capacity = 0.0069;
  cooling.plate_capacity = 0.03;
  cooling.leakage_doubling_k = 15;
  cooling.leakage_reference_c = 85;
  cooling.throttle_c = 87;
  cooling.recover_k = 3;
  cooling.shutdown_c = 105;
  cooling.clock_floor = 0.3;
  cooling.clock_step = 0.01;
  cooling.vf_exponent = 2.5;
  cooling.period = Picoseconds{20'000'000'000};
  platform.cooling = cooling;
  return platform;
}

}  // namespace reticle::test
