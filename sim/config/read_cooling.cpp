// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_cooling.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sim/config/bounds.hpp"
#include "sim/config/standard_table.hpp"

namespace reticle {

namespace {
struct Key {
  std::string_view key;
  double CoolingParams::*member;
  Range<double> range;
};

constexpr double kTiny = 1e-9;  // stands for "more than zero"
constexpr Range<double> kCelsius{-50, 300};
constexpr Range<double> kResistance{kTiny, 1e6};
constexpr Range<double> kSpread{0, 1e6};
constexpr Range<double> kCapacity{kTiny, 1e3};
constexpr std::array kKeys{
    Key{"coolant_c", &CoolingParams::coolant_c, kCelsius},
    Key{"die_to_lid_k_mm2_per_w", &CoolingParams::die_to_lid, kResistance},
    Key{"lid_to_plate_k_mm2_per_w", &CoolingParams::lid_to_plate, kResistance},
    Key{"plate_to_coolant_k_mm2_per_w", &CoolingParams::plate_to_coolant, kResistance},
    Key{"die_spread_w_per_k", &CoolingParams::die_spread, kSpread},
    Key{"lid_spread_w_per_k", &CoolingParams::lid_spread, kSpread},
    Key{"plate_spread_w_per_k", &CoolingParams::plate_spread, kSpread},
    Key{"die_j_per_k_mm2", &CoolingParams::die_capacity, kCapacity},
    Key{"lid_j_per_k_mm2", &CoolingParams::lid_capacity, kCapacity},
    Key{"plate_j_per_k_mm2", &CoolingParams::plate_capacity, kCapacity},
    Key{"leakage_share", &CoolingParams::leakage_share, {0, 1}},
    Key{"leakage_doubling_k", &CoolingParams::leakage_doubling_k, {1, 1000}},
    Key{"leakage_reference_c", &CoolingParams::leakage_reference_c, kCelsius},
    Key{"throttle_c", &CoolingParams::throttle_c, kCelsius},
    Key{"recover_k", &CoolingParams::recover_k, {0, 100}},
    Key{"shutdown_c", &CoolingParams::shutdown_c, kCelsius},
    Key{"package_power_limit_w", &CoolingParams::package_power_limit_w, bounds::kWatts},
    Key{"clock_floor", &CoolingParams::clock_floor, {0.01, 1}},
    Key{"clock_step", &CoolingParams::clock_step, {1e-4, 1}},
    Key{"vf_exponent", &CoolingParams::vf_exponent, {1, 4}},
};

/// What a table may leave to the platform.
constexpr std::array<std::string_view, 2> kOptional{"package_power_limit_w", "leakage_share"};

CoolingParams read_table(const ConfigNode& node) {
  CoolingParams cooling;
  for (const Key& row : kKeys)
    cooling.*row.member = std::ranges::count(kOptional, row.key) > 0
                              ? node.get<double>(row.key, cooling.*row.member, row.range)
                              : node.get<double>(row.key, row.range);
  cooling.period = node.get<Picoseconds>("period", bounds::kLatency);
  return cooling;
}
}  // namespace

CoolingParams read_cooling(const ConfigNode& node) {
  auto standard = standard_name(node, CatalogueKind::Cooling);
  CoolingParams cooling = read_table(node);
  cooling.standard = standard;
  node.check("shutdown_c", cooling.shutdown_c > cooling.throttle_c, "must be above throttle_c");
  node.check("throttle_c", cooling.throttle_c - cooling.recover_k > cooling.coolant_c,
             "must be above coolant_c by more than recover_k");
  node.check("period", cooling.period.count() > 0, "must be above 0");
  node.reject_unknown_keys();
  return cooling;
}

void check_cooling_table(const ConfigNode& node) {
  (void)node.get<std::string>("name");
  (void)node.get<std::string>("title");
  (void)read_table(node);
  node.reject_unknown_keys();
}

}  // namespace reticle
