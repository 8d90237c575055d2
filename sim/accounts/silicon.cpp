// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/silicon.hpp"

#include <algorithm>
#include <cmath>

namespace reticle {

namespace {
constexpr double kBitsPerByte = 8;
constexpr double kMega = 1e6, kGiga = 1e9;
constexpr double kUm2PerMm2 = 1e6;
constexpr double kMm2PerCm2 = 100;

/// FP16 takes what BF16 does and NVFP4 what MXFP4 does, where a table has no figure of their own.
double mac_um2(const SiliconParams& silicon, Precision format) {
  const auto of = [&](Precision p) { return silicon.mac_um2[static_cast<std::size_t>(p)]; };
  if (of(format) > 0) return of(format);
  if (format == Precision::Fp16) return of(Precision::Bf16);
  if (format == Precision::Nvfp4) return of(Precision::Mxfp4);
  return 0;
}

double mac_floor_mm2(const MacParams& mac, const SiliconParams& silicon) {
  double most = 0;
  for (std::size_t f = 0; f < kPrecisionCount; ++f)
    if (mac.cycles_per_pass[f] > 0)
      most = std::max(most, static_cast<double>(macs_per_cycle(mac)) /
                                static_cast<double>(mac.cycles_per_pass[f]) *
                                mac_um2(silicon, static_cast<Precision>(f)));
  return most / kUm2PerMm2;
}

/// Places of the grid of dies on the wafer that are tried, each way; the best is taken.
constexpr int kPositions = 8;

/// Squares of a grid through (x, y) that lie whole within a disc about the origin.
double dies_on_disc(double side, double radius, double x, double y) {
  double dies = 0;
  for (double low = y - std::ceil((y + radius) / side) * side; low < radius; low += side) {
    const double farther = std::max(std::abs(low), std::abs(low + side));
    if (farther > radius) continue;
    const double half = std::sqrt(radius * radius - farther * farther);  // of the row's chord
    dies += std::max(0.0, std::floor((half - x) / side) - std::ceil((-half - x) / side));
  }
  return dies;
}

double stacks(const DieParams& die) { return die.hbm ? static_cast<double>(die.hbm->stacks) : 0; }

double gigabytes(Bytes bytes) { return static_cast<double>(bytes.count()) / kGiga; }
}  // namespace

AreaFloor area_floor(const DieParams& die) {
  const SiliconParams& silicon = *die.silicon;
  const double megabits = static_cast<double>(die.sram.capacity.count()) * kBitsPerByte / kMega;
  return {.sram_mm2 = megabits / silicon.sram_mbit_per_mm2,
          .mac_mm2 = mac_floor_mm2(die.mac, silicon),
          .hbm_phy_mm2 = stacks(die) * silicon.hbm_phy_mm2};
}

double die_area_mm2(const DieParams& die) {
  if (die.area_mm2 > 0 || die.fill == 0) return die.area_mm2;
  return area_floor(die).mm2() / die.fill;
}

double reticles(const DieParams& die) {
  return die_area_mm2(die) / static_cast<double>(die.chiplets) / kReticleMm2;
}

double dies_per_wafer(const SiliconParams& silicon, double area_mm2) {
  const double side = std::sqrt(area_mm2) + silicon.scribe_mm;
  const double radius = silicon.wafer_mm / 2 - silicon.edge_mm;
  double most = 0;
  for (int dx = 0; dx < kPositions; ++dx)
    for (int dy = 0; dy < kPositions; ++dy)
      most = std::max(most,
                      dies_on_disc(side, radius, side * dx / kPositions, side * dy / kPositions));
  return most;
}

double yield_of(const SiliconParams& silicon, double area_mm2, double sram_mm2) {
  const double killed = area_mm2 - silicon.sram_repaired * std::min(sram_mm2, area_mm2);
  const double defects = killed / kMm2PerCm2 * silicon.defects_per_cm2;
  return std::pow(1 + defects / silicon.cluster_alpha, -silicon.cluster_alpha);
}

std::optional<SiliconReport> price_silicon(const PlatformSpec& platform) {
  const DieParams& die = platform.die;
  if (!die.silicon || die_area_mm2(die) == 0) return std::nullopt;
  const SiliconParams& silicon = *die.silicon;
  const CostParams& cost = platform.cost;
  const auto of_package = static_cast<double>(platform.dies_per_package);

  SiliconReport report;
  report.floor = area_floor(die);
  report.area_mm2 = die_area_mm2(die);
  if (silicon.whole_wafer) {
    report.dies_per_wafer = of_package;
    report.yield = 1;
  } else {
    report.pieces = static_cast<double>(die.chiplets);
    const double piece = report.area_mm2 / report.pieces;
    report.dies_per_wafer = dies_per_wafer(silicon, piece);
    report.yield = yield_of(silicon, piece, report.floor.sram_mm2 / report.pieces);
  }
  report.good_die_usd = report.pieces * silicon.wafer_usd / report.dies_per_wafer / report.yield;

  const double hbm_usd =
      die.hbm ? gigabytes(capacity(*die.hbm)) * cost.hbm_usd_per_gb : 0;  // of a die
  const double placed = silicon.whole_wafer ? 1 : of_package * (report.pieces + stacks(die));
  report.package_usd = (of_package * (report.good_die_usd + hbm_usd) + cost.package_usd) /
                       std::pow(cost.bond_yield, placed);
  const double far_gb = die.far ? gigabytes(die.far->capacity) : 0;
  const double packages = static_cast<double>(platform.packages_per_node);
  report.node_dies_usd = packages * of_package * report.good_die_usd;
  report.node_hbm_usd = packages * of_package * hbm_usd;
  report.node_far_usd = packages * of_package * far_gb * cost.far_usd_per_gb;
  report.node_usd = packages * report.package_usd + report.node_far_usd + cost.node_parts_usd;
  return report;
}

double node_price_usd(const PlatformSpec& platform) {
  const CostParams& cost = platform.cost;
  if (cost.node_price_usd > 0 || cost.markup == 0) return cost.node_price_usd;
  const auto made = price_silicon(platform);
  return made ? cost.markup * made->node_usd : 0;
}

}  // namespace reticle
