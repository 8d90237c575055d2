// SPDX-License-Identifier: Apache-2.0
// Laws of pricing: a price moves its own component and nothing else, and totals are sums.
#include <doctest/doctest.h>

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "sim/accounts/cost.hpp"
#include "sim/accounts/energy.hpp"
#include "tests/sim/accounts/example_platform.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
struct PriceRow {
  std::string component;
  std::function<void(EnergyPrices&)> twice;
};

const std::vector<PriceRow> kPrices{
    {"sram_read", [](EnergyPrices& e) { e.sram_read_pj_per_bit *= 2; }},
    {"sram_write", [](EnergyPrices& e) { e.sram_write_pj_per_bit *= 2; }},
    {"hbm_activate", [](EnergyPrices& e) { e.hbm.activate_nj *= 2; }},
    {"hbm_access",
     [](EnergyPrices& e) {
       e.hbm.read_pj_per_bit *= 2;
       e.hbm.write_pj_per_bit *= 2;
     }},
    {"hbm_io", [](EnergyPrices& e) { e.hbm.io_pj_per_bit *= 2; }},
    {"hbm_bank_active", [](EnergyPrices& e) { e.hbm.bank_active_mw *= 2; }},
    {"hbm_phy", [](EnergyPrices& e) { e.hbm.phy_pj_per_bit *= 2; }},
    {"far", [](EnergyPrices& e) { e.far_pj_per_bit *= 2; }},
    {"flash", [](EnergyPrices& e) { e.flash_pj_per_bit *= 2; }},
    {"transport", [](EnergyPrices& e) { e.transport_pj_per_bit *= 2; }},
    {"mac",
     [](EnergyPrices& e) {
       for (double& price : e.mac_pj) price *= 2;
     }},
    {"vector", [](EnergyPrices& e) { e.vector_pj *= 2; }},
    {"fabric.package", [](EnergyPrices& e) { e.link_pj_per_bit[0] *= 2; }},
    {"fabric.node", [](EnergyPrices& e) { e.link_pj_per_bit[1] *= 2; }},
    {"fabric.scale_out", [](EnergyPrices& e) { e.link_pj_per_bit[2] *= 2; }},
    {"static_die", [](EnergyPrices& e) { e.die_static_w *= 2; }},
    {"static_sram", [](EnergyPrices& e) { e.sram_leakage_w_per_mb *= 2; }},
    {"hbm_refresh", [](EnergyPrices& e) { e.hbm.refresh_row_nj *= 2; }},
    {"hbm_background", [](EnergyPrices& e) { e.hbm.background_w_per_stack *= 2; }},
    {"static_package", [](EnergyPrices& e) { e.package_static_w *= 2; }}};
}  // namespace

TEST_CASE("doubling a price doubles its component and no other") {
  const PlatformSpec platform = example_platform();
  const EnergyReport before = price_energy(example_counts(), platform, 10_ms);
  REQUIRE(before.components.size() == kPrices.size());
  for (const auto& price : kPrices) {
    PlatformSpec dearer = platform;
    price.twice(dearer.energy);
    const EnergyReport after = price_energy(example_counts(), dearer, 10_ms);
    for (std::size_t i = 0; i < before.components.size(); ++i) {
      CAPTURE(price.component);
      CAPTURE(before.components[i].name);
      const bool own = before.components[i].name == price.component;
      CHECK(after.components[i].joules == (own ? 2 : 1) * before.components[i].joules);
    }
  }
}

TEST_CASE("the total is the sum over the components, constant or not") {
  const EnergyReport report = price_energy(example_counts(), example_platform(), 10_ms);
  double sum = 0, constant = 0;
  for (const auto& component : report.components) {
    CHECK(component.joules > 0);
    sum += component.joules;
    if (component.constant) constant += component.joules;
  }
  CHECK(report.total_j() == sum);
  CHECK(report.constant_j() == constant);
}

TEST_CASE("energy adds up over parts of a run") {
  const PlatformSpec platform = example_platform();
  EventCounts both = example_counts();
  both += example_counts();
  const double once = price_energy(example_counts(), platform, 10_ms).total_j();
  CHECK(price_energy(both, platform, 20_ms).total_j() == doctest::Approx(2 * once));
}

TEST_CASE("the two costs agree when the run is utilised as planned") {
  CostParams params = example_platform().cost;
  params.utilisation = 0.25;
  const CostReport cost = price_cost(params, {.nodes = 3,
                                              .output_tokens = 77,
                                              .duration = 4_ms,
                                              .busy = 1_ms,
                                              .dynamic_j = 5,
                                              .constant_w = 6,
                                              .single_stream_tokens_per_s = {}});
  CHECK(*cost.planned.usd_per_m_tokens == doctest::Approx(*cost.as_simulated.usd_per_m_tokens));
  CHECK(*cost.planned.agent_density == doctest::Approx(*cost.as_simulated.agent_density));
}
