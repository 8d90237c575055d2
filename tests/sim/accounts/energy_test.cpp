// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/energy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/error.hpp"
#include "tests/sim/accounts/example_platform.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
double joules(const EnergyReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.components, name, &EnergyComponent::name);
  REQUIRE(found != report.components.end());
  return found->joules;
}

constexpr double kBitsPerGigabyte = 8e9;
constexpr double kPicojoule = 1e-12;
}  // namespace

TEST_CASE("price_energy: each component is its count times its price") {
  const PlatformSpec p = example_platform();
  const EnergyPrices& e = p.energy;
  const EnergyReport report = price_energy(example_counts(), p, 10_ms);
  const auto per_gb = kBitsPerGigabyte * kPicojoule;
  // Staged bytes are written into SRAM and read from it once each.
  CHECK(joules(report, "sram_read") == doctest::Approx((3 + 6) * per_gb * e.sram_read_pj_per_bit));
  CHECK(joules(report, "sram_write") ==
        doctest::Approx((1 + 6) * per_gb * e.sram_write_pj_per_bit));
  // HBM moves whole bursts of 32 B.
  const double read = 218'750'007.0 * 256 * kPicojoule, written = 125'000'003.0 * 256 * kPicojoule;
  CHECK(joules(report, "hbm_activate") == doctest::Approx(1'000'001 * e.hbm.activate_nj * 1e-9));
  CHECK(joules(report, "hbm_access") ==
        doctest::Approx(read * e.hbm.read_pj_per_bit + written * e.hbm.write_pj_per_bit));
  CHECK(joules(report, "hbm_io") == doctest::Approx((read + written) * e.hbm.io_pj_per_bit));
  CHECK(joules(report, "hbm_bank_active") ==
        doctest::Approx(2.000003 * e.hbm.bank_active_mw * 1e-3));
  CHECK(joules(report, "hbm_phy") == doctest::Approx((read + written) * e.hbm.phy_pj_per_bit));
  CHECK(joules(report, "far") == doctest::Approx(7 * per_gb * e.far_pj_per_bit));
  CHECK(joules(report, "flash") == doctest::Approx(9 * per_gb * e.flash_pj_per_bit));
  CHECK(joules(report, "transport") == doctest::Approx(31 * per_gb * e.transport_pj_per_bit));
  CHECK(joules(report, "mac") ==
        doctest::Approx((11e9 * 0.3 + 13e9 * 0.08 + 17e9 * 0.02 + 19 * 0.021) * kPicojoule));
  CHECK(joules(report, "vector") == doctest::Approx(23e9 * e.vector_pj * kPicojoule));
  CHECK(joules(report, "fabric.package") == doctest::Approx(29 * per_gb * 0.6));
  CHECK(joules(report, "fabric.node") == doctest::Approx(31 * per_gb * 5));
  CHECK(joules(report, "fabric.scale_out") == doctest::Approx(37 * per_gb * 50));
}

TEST_CASE("price_energy: constant power goes by dies, megabytes, stacks, packages and time") {
  const PlatformSpec p = example_platform();
  const EnergyReport report = price_energy({}, p, 10_ms);
  CHECK(joules(report, "static_die") == doctest::Approx(12 * 60 * 0.01));
  CHECK(joules(report, "static_sram") == doctest::Approx(12 * 1000 * 0.004 * 0.01));
  CHECK(joules(report, "hbm_background") == doctest::Approx(12 * 2 * 0.38 * 0.01));
  // Every row of 12 x 2 stacks once in 8192 x 3.9 us.
  CHECK(joules(report, "hbm_refresh") ==
        doctest::Approx(12 * 2 * (16e9 / 1024) * 0.7e-9 * 0.01 / (8192 * 3.9e-6)));
  CHECK(joules(report, "static_package") == doctest::Approx(6 * 100 * 0.01));
  CHECK(report.constant_j() == doctest::Approx(report.total_j()));
  CHECK(constant_power_w(p) * 0.01 == doctest::Approx(report.total_j()));
  CHECK(report.average_power_w == doctest::Approx(constant_power_w(p)));
}

TEST_CASE("price_energy: without HBM no stack draws power") {
  PlatformSpec p = example_platform();
  p.die.hbm.reset();
  CHECK(joules(price_energy({}, p, 1_ms), "hbm_refresh") == 0);
  CHECK(joules(price_energy({}, p, 1_ms), "hbm_background") == 0);
}

TEST_CASE("price_energy: stacks that are not refreshed pay no refresh") {
  PlatformSpec p = example_platform();
  p.die.hbm->refresh = RefreshMode::PerBank;
  const double per_bank = joules(price_energy({}, p, 1_ms), "hbm_refresh");
  CHECK(per_bank == joules(price_energy({}, example_platform(), 1_ms), "hbm_refresh"));
  p.die.hbm->refresh = RefreshMode::Off;
  CHECK(joules(price_energy({}, p, 1_ms), "hbm_refresh") == 0);
}

TEST_CASE("price_energy: a run without time has energy but no power") {
  const EnergyReport report = price_energy(example_counts(), example_platform(), 0_ps);
  CHECK(report.total_j() > 0);
  CHECK_FALSE(report.average_power_w);
  CHECK_FALSE(report.busy_power_w.value);
  CHECK_FALSE(report.busy_power_w.exceeded());
}

TEST_CASE("price_energy: idle time lowers average power and leaves busy power alone") {
  const PlatformSpec p = example_platform();
  const EnergyReport all_busy = price_energy(example_counts(), p, 10_ms);
  const EnergyReport half_idle = price_energy(example_counts(), p, 20_ms, 10_ms);
  CHECK(*all_busy.average_power_w == doctest::Approx(*all_busy.busy_power_w.value));
  CHECK(*half_idle.busy_power_w.value == doctest::Approx(*all_busy.busy_power_w.value));
  CHECK(*half_idle.average_power_w < *all_busy.average_power_w);
}

TEST_CASE("price_energy: the power limit is that of all nodes, and the value itself is allowed") {
  PlatformSpec p = example_platform();
  const double power = *price_energy(example_counts(), p, 10_ms).busy_power_w.value;
  p.node_power_limit_w = power / 2;
  CHECK_FALSE(price_energy(example_counts(), p, 10_ms).busy_power_w.exceeded());
  p.node_power_limit_w = power / 2 * (1 - 1e-9);
  CHECK(price_energy(example_counts(), p, 10_ms).busy_power_w.exceeded());
  p.node_power_limit_w = 0;  // not known
  CHECK_FALSE(price_energy(example_counts(), p, 10_ms).busy_power_w.exceeded());
}

TEST_CASE("price_energy: only what becomes heat on the dies counts for heat flux") {
  PlatformSpec p = example_platform();
  const double flux = *price_energy(example_counts(), p, 10_ms).heat_flux_w_per_mm2.value;
  p.energy.hbm.activate_nj *= 10;
  p.energy.hbm.read_pj_per_bit *= 10;
  p.energy.hbm.io_pj_per_bit *= 10;
  p.energy.hbm.background_w_per_stack *= 10;
  p.energy.far_pj_per_bit *= 10;
  p.energy.link_pj_per_bit[1] *= 10;
  p.energy.package_static_w *= 10;
  CHECK(*price_energy(example_counts(), p, 10_ms).heat_flux_w_per_mm2.value == flux);
  p.die.area_mm2 *= 2;
  CHECK(*price_energy(example_counts(), p, 10_ms).heat_flux_w_per_mm2.value ==
        doctest::Approx(flux / 2));
  p.heat_flux_limit_w_per_mm2 = flux / 4;
  CHECK(price_energy(example_counts(), p, 10_ms).heat_flux_w_per_mm2.exceeded());
  p.die.area_mm2 = 0;  // not known
  CHECK_FALSE(price_energy(example_counts(), p, 10_ms).heat_flux_w_per_mm2.value);
}

TEST_CASE("heat_flux_bound: of the nearer limit, what can leave through dies and nothing else") {
  PlatformSpec p = example_platform();  // 2 nodes x 3 packages x 2 dies of 500 mm2 with 2 stacks
  p.energy.hbm.refresh_row_nj = 0;
  p.energy.hbm.background_w_per_stack = 0.5;
  p.energy.package_static_w = 100;
  p.node_power_limit_w = 4000;
  // 8 kW less 24 stacks' 12 W and 6 packages' hosts of 600 W, over 6000 mm2.
  REQUIRE(heat_flux_bound(p));
  CHECK(heat_flux_bound(p)->w_per_mm2 == doctest::Approx(7388.0 / 6000).epsilon(1e-12));
  CHECK_FALSE(heat_flux_bound(p)->of_package);
  p.cooling = CoolingParams{};  // that states no limit
  CHECK_FALSE(heat_flux_bound(p)->of_package);
  p.cooling->package_power_limit_w = 700;  // 4.2 kW in all: hosts are not in it
  CHECK(heat_flux_bound(p)->w_per_mm2 == doctest::Approx(4188.0 / 6000).epsilon(1e-12));
  CHECK(heat_flux_bound(p)->of_package);
  p.energy.package_static_w = 200;
  CHECK(heat_flux_bound(p)->w_per_mm2 == doctest::Approx(4188.0 / 6000).epsilon(1e-12));
  p.energy.package_static_w = 1e6;  // hosts alone take more than the node has
  CHECK(heat_flux_bound(p)->w_per_mm2 == 0);
  p.cooling.reset();
  p.node_power_limit_w = 0;  // not known
  CHECK_FALSE(heat_flux_bound(p));
  p.node_power_limit_w = 4000;
  p.die.area_mm2 = 0;
  CHECK_FALSE(heat_flux_bound(p));
}

TEST_CASE("heat_flux_bound: a run within its power limit has no more") {
  PlatformSpec p = example_platform();
  const EnergyReport run = price_energy(example_counts(), p, 10_ms);
  p.node_power_limit_w = *run.busy_power_w.value / 2;  // of each of two nodes
  CHECK(*run.heat_flux_w_per_mm2.value <= heat_flux_bound(p)->w_per_mm2);
}

TEST_CASE(
    "EnergyReport: the device is dies, stacks and links inside packages, no host and no cable") {
  PlatformSpec p = example_platform();
  const EnergyReport all = price_energy(example_counts(), p, 10_ms);
  CHECK(all.device_j() > 0);
  CHECK(all.device_j() < all.total_j());
  p.energy.far_pj_per_bit *= 10;
  p.energy.flash_pj_per_bit *= 10;
  p.energy.link_pj_per_bit[1] *= 10;
  p.energy.package_static_w *= 10;
  CHECK(price_energy(example_counts(), p, 10_ms).device_j() == all.device_j());
  p.energy.hbm.background_w_per_stack *= 10;
  CHECK(price_energy(example_counts(), p, 10_ms).device_j() > all.device_j());
}

TEST_CASE("price_energy: the largest counts and the longest time stay finite and positive") {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  PlatformSpec p = example_platform();
  p.nodes = 17'000;  // 102,000 dies
  EventCounts counts;
  counts.read.fill(Bytes{kMax});
  counts.written.fill(Bytes{kMax});
  counts.staged = Bytes{kMax};
  counts.hbm_activates = counts.hbm_read_bursts = counts.hbm_written_bursts = kMax;
  counts.hbm_bank_active_us = kMax;
  counts.macs.fill(kMax);
  counts.vector_ops = kMax;
  counts.link_bytes.assign(3, Bytes{kMax});
  const EnergyReport report = price_energy(counts, p, Picoseconds{kMax});
  CHECK(std::isfinite(report.total_j()));
  for (const auto& component : report.components) CHECK(component.joules > 0);
  CHECK(joules(report, "transport") ==
        doctest::Approx(8 * std::ldexp(1, 63) * 8 * 0.9 * kPicojoule));
  CHECK(joules(report, "static_die") ==
        doctest::Approx(60.0 * static_cast<double>(dies(p)) * 9.223372036854775807e6));
}

TEST_CASE("price_energy: refuses a level without a price and counts of levels that are not there") {
  PlatformSpec p = example_platform();
  EventCounts counts = example_counts();
  counts.link_bytes.push_back(1_B);
  CHECK_THROWS_AS(price_energy(counts, p, 1_ms), InvariantError);
  p.energy.link_pj_per_bit.pop_back();
  CHECK_THROWS_AS(price_energy(example_counts(), p, 1_ms), InvariantError);
}

TEST_CASE("price_energy: refuses a run that is busy for longer than it lasts") {
  CHECK_THROWS_AS(price_energy({}, example_platform(), 1_ms, 2_ms), InvariantError);
}
