// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "sim/base/precision.hpp"

namespace reticle {

/// What silicon of a process node holds, costs and yields (configs/silicon).
struct SiliconParams {
  std::string standard;
  double wafer_usd = 0;
  double wafer_mm = 0;           ///< diameter
  double edge_mm = 0;            ///< ring at the rim without dies
  double scribe_mm = 0;          ///< street between dies
  double defects_per_cm2 = 0;    ///< that kill what they hit
  double cluster_alpha = 0;      ///< of the negative binomial yield
  double sram_mbit_per_mm2 = 0;  ///< macros: cells and periphery; decimal megabits
  double sram_repaired = 0;      ///< share of the defects in SRAM that spare rows and columns mend
  double hbm_phy_mm2 = 0;        ///< per stack; PHYs do not shrink
  std::array<double, kPrecisionCount> mac_um2{};  ///< multiply-accumulate per cycle; 0 = not known
  bool whole_wafer = false;  ///< a package is a wafer, spare cores stand in for its defects
};

}  // namespace reticle
