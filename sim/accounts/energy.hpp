// SPDX-License-Identifier: Apache-2.0
// Counts times prices: where the energy of a run went. Pure functions, so that a run can be priced
// again without simulating it.
//
// Models:     energy per bit, operation and crossed link; constant power per die, stack and
// package. Leaves out: the dependence of leakage on temperature, of switching energy on data and
// voltage.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/package/event_counts.hpp"
#include "models/package/platform_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

struct EnergyComponent {
  std::string name;
  double joules = 0;
  bool constant = false;    ///< power that flows whether or not there is work
  bool on_die = false;      ///< becomes heat on the compute dies
  bool in_package = false;  ///< taken by dies, their stacks and what joins them in the package
};

/// A figure and the limit it must not exceed; unknown ones are absent.
struct LimitCheck {
  std::optional<double> value;
  std::optional<double> limit;
  [[nodiscard]] bool exceeded() const { return value && limit && *value > *limit; }
};

struct EnergyReport {
  std::vector<EnergyComponent> components;  ///< each once, in a fixed order
  std::optional<double> average_power_w;    ///< over the whole run; absent when it took no time
  /// While work is under way, of the deployment: dynamic energy over the busy time plus the
  /// constant power. Checked against the power limit of all nodes.
  LimitCheck busy_power_w;
  /// Busy power that becomes heat on the dies, over their area.
  LimitCheck heat_flux_w_per_mm2;

  [[nodiscard]] double total_j() const;     ///< sum over the components
  [[nodiscard]] double constant_j() const;  ///< of it, constant power
  [[nodiscard]] double device_j() const;    ///< of it, within packages
};

/// Prices a run of `duration`, of which `busy` was spent within steps (all of it when absent).
/// `counts` and `duration` are of the whole deployment.
EnergyReport price_energy(const EventCounts& counts, const PlatformSpec& platform,
                          Picoseconds duration, std::optional<Picoseconds> busy = std::nullopt);

/// The most heat that leaves through dies while the stated limits of power hold.
struct HeatFluxBound {
  double w_per_mm2 = 0;     ///< evenly spread over the dies' area
  bool of_package = false;  ///< the package's limit is the nearer one; else the node's
};
/// Constant power that heats no die (stacks at rest; of a node hosts, switches and fans too) is
/// taken off the limits, the rest counted as if dies took all of it. Absent where the area is not
/// known, or no limit of power is.
std::optional<HeatFluxBound> heat_flux_bound(const PlatformSpec& platform);

/// Constant power of the deployment, watts.
double constant_power_w(const PlatformSpec& platform);

}  // namespace reticle
