// SPDX-License-Identifier: Apache-2.0
// What can be made of silicon, what cannot, and what it costs to make.
//
// Models:     area that SRAM macros, arithmetic and HBM PHYs take at least; dies per wafer; yield
//             with clustered defects and repaired SRAM; loss in assembly; memory, package and node.
//             A die beyond the reticle is priced as if it could be exposed: area_findings says that
//             it cannot.
// Leaves out: vector units, registers, wires, SerDes and controllers (the floor is a floor); sale
// of
//             partly good dies; test escapes; volume discounts; margins of the supply chain.
#pragma once

#include <optional>

#include "models/package/platform_spec.hpp"

namespace reticle {

/// The field a scanner exposes at once: 26 mm x 33 mm. [IRDS 2023 Lithography, EUV at 0.33 NA]
inline constexpr double kReticleMm2 = 26.0 * 33.0;

/// What a die must hold; square millimetres.
struct AreaFloor {
  double sram_mm2 = 0;
  double mac_mm2 = 0;  ///< of the number format that takes most: formats share their arrays
  double hbm_phy_mm2 = 0;
  [[nodiscard]] double mm2() const { return sram_mm2 + mac_mm2 + hbm_phy_mm2; }
};

/// Needs die.silicon.
AreaFloor area_floor(const DieParams& die);

/// As stated, or what the floor is a share `fill` of; 0 when neither is known.
double die_area_mm2(const DieParams& die);

/// Reticle fields that one piece of a die's silicon takes; more than one cannot be exposed.
double reticles(const DieParams& die);

/// Square dies of `area_mm2`, with their streets, that lie whole within a wafer's usable disc: the
/// best of 64 positions of their grid.
double dies_per_wafer(const SiliconParams& silicon, double area_mm2);

/// (1 + A D / alpha)^-alpha of the area that a defect kills. [Stapper 1983]
double yield_of(const SiliconParams& silicon, double area_mm2, double sram_mm2);

/// What it costs to make; USD.
struct SiliconReport {
  AreaFloor floor;
  double area_mm2 = 0;        ///< of a die, all pieces
  double pieces = 1;          ///< it is made in: its chiplets
  double dies_per_wafer = 0;  ///< of one piece
  double yield = 0;           ///< of one piece
  double good_die_usd = 0;    ///< all pieces of a die
  double package_usd = 0;     ///< dies, stacks, substrate, assembly and its loss
  double node_usd = 0;        ///< packages, further memory and the rest of the node
  double node_dies_usd = 0;   ///< of it: good dies,
  double node_hbm_usd = 0;    ///< stacks,
  double node_far_usd = 0;    ///< further memory (die.far); what is left joins them together
};

/// Absent where the platform names no process node or its die's area is not known.
std::optional<SiliconReport> price_silicon(const PlatformSpec& platform);

/// As stated, or `markup` times what it costs to make; 0 when not known.
double node_price_usd(const PlatformSpec& platform);

}  // namespace reticle
