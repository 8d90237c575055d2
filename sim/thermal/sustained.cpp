// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/sustained.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace reticle {

namespace {
constexpr std::array<std::string_view, 5> kLimitNames{"none", "temperature", "package_power",
                                                      "node_power", "runaway"};

double watts_of(const PackageHeat& heat, const PackagePower& power) {
  return std::accumulate(power.die_w.begin(), power.die_w.end(), 0.0) +
         std::accumulate(power.lid_w.begin(), power.lid_w.end(), 0.0) + heat.leakage_w(power) +
         static_cast<double>(heat.dies()) * (power.clock_w + power.lid_idle_w);
}

/// The limit that this much power is above: of the hottest package, of all nodes.
PowerLimit power_limit_at(const PlatformSpec& platform, double package_w, double node_w) {
  const double package_limit = platform.cooling->package_power_limit_w;
  const double node_limit = platform.node_power_limit_w * static_cast<double>(platform.nodes);
  if (package_limit > 0 && package_w > package_limit) return PowerLimit::PackagePower;
  return node_limit > 0 && node_w > node_limit ? PowerLimit::NodePower : PowerLimit::None;
}

/// The steady state at that clock, and the first limit it breaks.
SustainedPoint state_at(const PlatformSpec& platform, const ThermalLoad& load, double clock) {
  const CoolingParams& cooling = *platform.cooling;
  SustainedPoint point{.clock = clock, .speed = speed_at(clock, load.clocked_share)};
  point.node_w = load.always_w + load.elsewhere_w * point.speed;
  for (const PackagePower& full : load.packages) {
    const PackagePower power = power_at(full, clock, load.clocked_share, cooling);
    PackageHeat heat{platform};
    if (!heat.settle(power)) {
      point.bound_by = PowerLimit::Runaway;
      return point;
    }
    const double watts = watts_of(heat, power);
    point.hottest_c = std::max(point.hottest_c, heat.hottest_c());
    point.package_w = std::max(point.package_w, watts);
    point.node_w += watts;
  }
  point.bound_by = point.hottest_c > cooling.throttle_c
                       ? PowerLimit::Temperature
                       : power_limit_at(platform, point.package_w, point.node_w);
  return point;
}
}  // namespace

std::string_view name_of(PowerLimit limit) { return kLimitNames[static_cast<std::size_t>(limit)]; }

double speed_at(double clock, double clocked_share) {
  return 1 / (1 - clocked_share + clocked_share / clock);
}
double event_energy_at(double clock, const CoolingParams& cooling) {
  return std::pow(clock, cooling.vf_exponent - 1);
}
/// Energy of an event goes as the square of the voltage, leakage as the voltage.
double leakage_at(double clock, const CoolingParams& cooling) {
  return std::pow(clock, (cooling.vf_exponent - 1) / 2);
}

PackagePower power_at(const PackagePower& full, double clock, double clocked_share,
                      const CoolingParams& cooling) {
  const double speed = speed_at(clock, clocked_share);
  PackagePower power = full;
  for (double& w : power.die_w) w *= speed * event_energy_at(clock, cooling);
  for (double& w : power.lid_w) w *= speed;
  power.leakage_w *= leakage_at(clock, cooling);
  power.clock_w *= std::pow(clock, cooling.vf_exponent);
  return power;
}

SustainedPoint sustained(const PlatformSpec& platform, const ThermalLoad& load) {
  const CoolingParams& cooling = *platform.cooling;
  PowerLimit broken = PowerLimit::None;  // one step further up
  for (int step = 0;; ++step) {
    const double clock = std::max(1 - step * cooling.clock_step, cooling.clock_floor);
    SustainedPoint point = state_at(platform, load, clock);
    if (point.bound_by == PowerLimit::None) {
      point.bound_by = broken;
      return point;
    }
    broken = point.bound_by;
    if (clock > cooling.clock_floor) continue;
    point.kept_up = false;
    return point;
  }
}

std::optional<double> seconds_until_throttling(const PlatformSpec& platform,
                                               const ThermalLoad& load, double most) {
  const CoolingParams& cooling = *platform.cooling;
  if (state_at(platform, load, 1).bound_by == PowerLimit::None) return std::nullopt;
  std::vector<PackageHeat> heats;
  for (const PackagePower& full : load.packages) {
    PackagePower idle = full;
    std::ranges::fill(idle.die_w, 0.0);
    std::ranges::fill(idle.lid_w, 0.0);
    heats.emplace_back(platform);
    if (!heats.back().settle(idle)) return 0;
  }
  // Steps of the controller at first, then ever longer ones: temperatures approach their end ever
  // more slowly.
  constexpr double kStepsOfOneLength = 500;  // a step is at most 0.2 % of the time gone by
  double step = seconds(cooling.period);
  for (double at = 0; at < most; at += step) {
    double package_w = 0, node_w = load.always_w + load.elsewhere_w;
    for (std::size_t p = 0; p < heats.size(); ++p) {
      const double watts = watts_of(heats[p], load.packages[p]);
      package_w = std::max(package_w, watts);
      node_w += watts;
    }
    if (power_limit_at(platform, package_w, node_w) != PowerLimit::None) return at;
    if (at > kStepsOfOneLength * step) step *= 2;
    for (std::size_t p = 0; p < heats.size(); ++p) {
      heats[p].advance(step, load.packages[p]);
      if (heats[p].hottest_c() > cooling.throttle_c) return at + step;
    }
  }
  return std::nullopt;
}

}  // namespace reticle
