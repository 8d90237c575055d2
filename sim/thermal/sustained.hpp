// SPDX-License-Identifier: Apache-2.0
// What a clock makes of power and speed, and which clock a load can be kept up at.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/thermal/package_heat.hpp"

namespace reticle {

/// What a load takes at the full clock, at the reference temperature of leakage.
struct ThermalLoad {
  std::vector<PackagePower> packages;  ///< those of the nodes, in order
  /// Of all packages: what no die sheds (hosts, switches, conversion, links beyond the package).
  double elsewhere_w = 0;    ///< while it works, at its full speed
  double always_w = 0;       ///< whether or not it works
  double clocked_share = 0;  ///< of the time, what goes with the clock of the die
};

/// Speed at a share of the clock: only what hangs on the clock takes longer.
double speed_at(double clock, double clocked_share);
/// Energy of an event on the die at a share of the clock: voltage follows it, so that power goes as
/// clock to `vf_exponent`.
double event_energy_at(double clock, const CoolingParams& cooling);
/// Leakage at a share of the clock, as the voltage goes.
double leakage_at(double clock, const CoolingParams& cooling);
/// A package's power with the load at that clock.
PackagePower power_at(const PackagePower& full, double clock, double clocked_share,
                      const CoolingParams& cooling);

enum class PowerLimit : std::uint8_t { None, Temperature, PackagePower, NodePower, Runaway };
std::string_view name_of(PowerLimit limit);

/// A steady state under load.
struct SustainedPoint {
  double clock = 1;  ///< share
  double speed = 1;  ///< of that at the full clock
  double hottest_c = 0;
  double package_w = 0;                    ///< of the package that takes most
  double node_w = 0;                       ///< all nodes together
  PowerLimit bound_by = PowerLimit::None;  ///< what keeps the clock from the next step up
  bool kept_up = true;                     ///< false: not even at the floor
};

/// The highest clock at which the load is within all limits for ever.
SustainedPoint sustained(const PlatformSpec& platform, const ThermalLoad& load);

/// How long the full clock holds, from the steady state without load; nullopt: for ever. `most`:
/// seconds looked at.
std::optional<double> seconds_until_throttling(const PlatformSpec& platform,
                                               const ThermalLoad& load, double most = 36'000);

}  // namespace reticle
