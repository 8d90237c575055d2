// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/package_heat.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
// Nodes: dies, then lids, then plates.
enum Layer : std::size_t { kDie, kLid, kPlate, kLayers };

ThermalNetwork network_of(const PlatformSpec& platform) {
  const CoolingParams& c = *platform.cooling;
  const double area = die_area_mm2(platform.die);
  const auto n = static_cast<std::size_t>(platform.dies_per_package);
  const auto node = [n](Layer layer, std::size_t die) { return layer * n + die; };
  std::vector<double> capacities(kLayers * n), outside(kLayers * n);
  std::vector<ThermalNetwork::Edge> edges;
  const FloorPlan plan = floor_plan(platform);
  const auto width = static_cast<std::size_t>(plan.width);
  for (std::size_t d = 0; d < n; ++d) {
    capacities[node(kDie, d)] = c.die_capacity * area;
    capacities[node(kLid, d)] = c.lid_capacity * area;
    capacities[node(kPlate, d)] = c.plate_capacity * area;
    edges.push_back({node(kDie, d), node(kLid, d), area / c.die_to_lid});
    edges.push_back({node(kLid, d), node(kPlate, d), area / c.lid_to_plate});
    outside[node(kPlate, d)] = area / c.plate_to_coolant;
    const auto beside = [&](std::size_t other) {
      if (other >= n) return;
      for (const auto& [layer, spread] :
           {std::pair{kDie, c.die_spread}, std::pair{kLid, c.lid_spread},
            std::pair{kPlate, c.plate_spread}})
        if (spread > 0) edges.push_back({node(layer, d), node(layer, other), spread});
    };
    if ((d + 1) % width != 0) beside(d + 1);
    beside(d + width);
  }
  return {std::move(capacities), std::move(edges), std::move(outside)};
}
}  // namespace

FloorPlan floor_plan(const PlatformSpec& platform) {
  for (const FabricLevel& level : platform.fabric.levels)
    if (level.name == "package" && level.height > 1) return {level.width, level.height};
  const std::int64_t n = platform.dies_per_package;
  const auto width = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  return {width, div_up(n, width)};
}

PackageHeat::PackageHeat(const PlatformSpec& platform)
    : cooling_{*platform.cooling},
      dies_{static_cast<std::size_t>(platform.dies_per_package)},
      die_mm2_{die_area_mm2(platform.die)},
      network_{network_of(platform)} {}

double PackageHeat::die_c(std::size_t die) const {
  return cooling_.coolant_c + network_.rise()[kDie * dies_ + die];
}
double PackageHeat::plate_c(std::size_t die) const {
  return cooling_.coolant_c + network_.rise()[kPlate * dies_ + die];
}
std::size_t PackageHeat::hottest() const {
  const auto rise = network_.rise().first(dies_);
  return static_cast<std::size_t>(std::ranges::max_element(rise) - rise.begin());
}
double PackageHeat::hottest_c() const { return die_c(hottest()); }

double PackageHeat::leakage_at(double reference_w, double die_c) const {
  return reference_w *
         std::exp2((die_c - cooling_.leakage_reference_c) / cooling_.leakage_doubling_k);
}
double PackageHeat::leakage_w(const PackagePower& power, std::size_t die) const {
  return leakage_at(power.leakage_w, die_c(die));
}
double PackageHeat::leakage_w(const PackagePower& power) const {
  double sum = 0;
  for (std::size_t d = 0; d < dies_; ++d) sum += leakage_w(power, d);
  return sum;
}

std::vector<double> PackageHeat::inflow(const PackagePower& power,
                                        std::span<const double> rise) const {
  std::vector<double> watts(network_.size());
  for (std::size_t d = 0; d < dies_; ++d) {
    watts[kDie * dies_ + d] =
        power.die_w[d] + power.clock_w +
        leakage_at(power.leakage_w, cooling_.coolant_c + rise[kDie * dies_ + d]);
    watts[kLid * dies_ + d] = power.lid_w[d] + power.lid_idle_w;
  }
  return watts;
}

void PackageHeat::advance(double seconds, const PackagePower& power) {
  network_.advance(seconds, inflow(power, network_.rise()));
}

/// From the coolant's temperature up: leakage grows with temperature, so each round is hotter than
/// the one before and none is hotter than the lowest steady state there is.
bool PackageHeat::settle(const PackagePower& power) {
  constexpr int kRounds = 20'000;  // a bound: it settles far sooner
  constexpr double kClose = 1e-9;  // K, a tolerance far below a figure's last digit
  std::vector<double> rise(network_.size());
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> next = network_.steady(inflow(power, rise));
    double change = 0, most = 0;
    for (std::size_t i = 0; i < next.size(); ++i) {
      change = std::max(change, std::abs(next[i] - rise[i]));
      most = std::max(most, next[i]);
    }
    if (!(cooling_.coolant_c + most < kNoStateC)) return false;
    rise = std::move(next);
    if (change < kClose) {
      network_.set_rise(std::move(rise));
      return true;
    }
  }
  return false;
}

/// The largest eigenvalue of (network's answer) x (leakage's slope), by power iteration: both have
/// no negative entries.
double PackageHeat::loop_gain(const PackagePower& power) const {
  constexpr int kRounds = 100;
  std::vector<double> rise(network_.size(), 1.0);
  double gain = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> watts(network_.size());
    for (std::size_t d = 0; d < dies_; ++d)
      watts[d] = rise[d] * leakage_w(power, d) * std::log(2.0) / cooling_.leakage_doubling_k;
    std::vector<double> next = network_.steady(watts);
    gain = *std::ranges::max_element(std::span{next}.first(dies_));
    if (gain <= 0) return 0;
    for (double& r : next) r /= gain;
    rise = std::move(next);
  }
  return gain;
}

double PackageHeat::sheds_w(double die_c) const {
  return (die_c - cooling_.coolant_c) * die_mm2_ /
         (cooling_.die_to_lid + cooling_.lid_to_plate + cooling_.plate_to_coolant);
}

}  // namespace reticle
