// SPDX-License-Identifier: Apache-2.0
// The dies of one package, their lid and their cold plate, and the leakage that follows their
// temperature.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "sim/thermal/thermal_network.hpp"

namespace reticle {

/// How the dies of a package lie: as its mesh says, else nearly square, row by row.
struct FloorPlan {
  std::int64_t width = 1, height = 1;
};
FloorPlan floor_plan(const PlatformSpec& platform);

/// What heats the parts of a package at some clock.
struct PackagePower {
  std::vector<double> die_w;  ///< per die, of its work
  std::vector<double> lid_w;  ///< per die: of the work of the stacks beside it
  double leakage_w = 0;       ///< per die, at the reference temperature
  double clock_w = 0;         ///< per die, whether or not it works
  double lid_idle_w = 0;      ///< likewise of the stacks
};

/// Models:     a node each for die, lid and cold plate under every die, coupled to the neighbours'
///             of the floor plan; leakage that doubles every so many kelvin.
/// Leaves out: hot spots within a die, temperatures of HBM stacks (their heat enters the lid),
///             coolant that warms from package to package.
class PackageHeat {
 public:
  /// `platform.cooling` must be there, and the area of its dies known.
  explicit PackageHeat(const PlatformSpec& platform);

  [[nodiscard]] std::size_t dies() const { return dies_; }
  [[nodiscard]] double die_c(std::size_t die) const;
  [[nodiscard]] double hottest_c() const;
  [[nodiscard]] std::size_t hottest() const;
  [[nodiscard]] double plate_c(std::size_t die) const;
  /// Of one die now.
  [[nodiscard]] double leakage_w(const PackagePower& power, std::size_t die) const;
  [[nodiscard]] double leakage_w(const PackagePower& power) const;  ///< of all dies

  void advance(double seconds, const PackagePower& power);
  /// Goes to the steady state of `power` and returns true; false where there is none below
  /// `kNoState`, as leakage grows faster than heat leaves: then nothing changes.
  bool settle(const PackagePower& power);
  static constexpr double kNoStateC = 400;  ///< silicon is long destroyed

  /// Of a small rise of all temperatures, the share that leakage gives back at once: from 1 on
  /// there is no way back (thermal runaway).
  [[nodiscard]] double loop_gain(const PackagePower& power) const;
  /// Watts that one of the dies could shed steadily at `die_c`, all dies alike.
  [[nodiscard]] double sheds_w(double die_c) const;

  [[nodiscard]] const ThermalNetwork& network() const { return network_; }

 private:
  [[nodiscard]] std::vector<double> inflow(const PackagePower& power,
                                           std::span<const double> rise) const;
  [[nodiscard]] double leakage_at(double reference_w, double die_c) const;

  const CoolingParams cooling_;
  const std::size_t dies_;
  const double die_mm2_;
  ThermalNetwork network_;
};

}  // namespace reticle
