// SPDX-License-Identifier: Apache-2.0
// A platform is data: a deployment of dies, their units, the fabric between them, and its papers
// (area, power, price). GPU node, wafer and reference ASIC differ only in these numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/die/die_spec.hpp"
#include "models/fabric/fabric_spec.hpp"
#include "models/package/cooling_spec.hpp"
#include "sim/base/precision.hpp"

namespace reticle {

/// What a stack of a standard takes (the `energy` section of configs/hbm), and its PHY.
struct HbmPrices {
  double activate_nj = 0;      ///< a row opened and closed again
  double read_pj_per_bit = 0;  ///< cells and multiplexers up to the TSVs
  double write_pj_per_bit = 0;
  double io_pj_per_bit = 0;           ///< TSVs and interposer
  double bank_active_mw = 0;          ///< of a bank while a row is open in it
  double refresh_row_nj = 0;          ///< a row refreshed
  double background_w_per_stack = 0;  ///< all banks closed, refresh apart
  double phy_pj_per_bit = 0;          ///< PHY and controller on the die
};

/// Energy per event and power over time. Counts times these are all the energy there is.
struct EnergyPrices {
  double sram_read_pj_per_bit = 0;
  double sram_write_pj_per_bit = 0;
  HbmPrices hbm;
  double far_pj_per_bit = 0;                     ///< device and host link
  double flash_pj_per_bit = 0;                   ///< likewise of the flash
  double transport_pj_per_bit = 0;               ///< on-die movement from memory to the array
  std::array<double, kPrecisionCount> mac_pj{};  ///< per multiply-accumulate
  double vector_pj = 0;                          ///< per element operation
  std::vector<double> link_pj_per_bit;           ///< per fabric level, per link crossed
  double die_static_w = 0;                       ///< logic leakage and clocks of one die
  double sram_leakage_w_per_mb = 0;              ///< decimal MB
  double package_static_w = 0;                   ///< switches, host share, VR losses, per package
};

/// Money and how it is spread.
struct CostParams {
  double node_price_usd = 0;  ///< 0: `markup` times what the node costs to make
  double markup = 0;          ///< price over that cost; 0 = not known
  double package_usd = 0;     ///< substrate, interposer, assembly and test of a package
  double bond_yield = 1;      ///< of placing one die or stack on a package
  double hbm_usd_per_gb = 0;  ///< decimal GB, bought
  double far_usd_per_gb = 0;
  double node_parts_usd = 0;  ///< host, switches, power and cooling of a node
  double lifetime_years = 3;  ///< default, chosen
  double utilisation = 0.8;   ///< default: of the lifetime, without a trace
  double electricity_usd_per_kwh = 0;
  double pue = 1;  ///< facility power over IT power
  /// Space, power distribution and cooling, per kilowatt provisioned, idle or busy; 0 = not priced.
  double hosting_usd_per_kw_month = 0;
  double nre_usd = 0;                   ///< design and masks, beyond the node's price
  double nre_nodes = 0;                 ///< that share it; 0 = there is none to share
  double stream_rate_tokens_per_s = 5;  ///< what one user consumes (agent density)
};

struct PlatformSpec {
  std::string name;
  std::string title;
  std::string process;
  std::string status;  ///< shipping | announced | claim | hypothetical
  /// A "chip" is the unit people count: the package. Nodes are the top fabric level's children
  /// when there are three levels, else the deployment is one node.
  std::int64_t dies_per_package = 1;
  std::int64_t packages_per_node = 1;
  std::int64_t nodes = 1;
  DieParams die;
  FabricParams fabric;
  EnergyPrices energy;
  CostParams cost;
  double node_power_limit_w = 0;         ///< TDP or envelope; 0 = unknown
  double heat_flux_limit_w_per_mm2 = 0;  ///< of the stated cooling; 0 = unknown
  std::optional<CoolingParams> cooling;  ///< absent: temperatures are not known
  std::vector<std::string> claims;       ///< vendor or paper figures worth printing beside a result
};

constexpr std::int64_t dies(const PlatformSpec& p) {
  return p.dies_per_package * p.packages_per_node * p.nodes;
}

}  // namespace reticle
