// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_prices.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/config/read_run.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using test::message_of;
using test::TempFile;
}  // namespace

TEST_CASE("read_prices: changes what the table names and leaves the rest") {
  const PlatformSpec before = read_platform("ref-asic");
  PlatformSpec after = before;
  const ResolvedValues changed = read_prices("optimistic-sram", after);
  CHECK(changed.size() == 3);
  CHECK(changed[0].path == "platform.energy.sram_read_pj_per_bit");
  CHECK(changed[0].confidence == "extrapolated");
  CHECK(after.energy.sram_read_pj_per_bit < before.energy.sram_read_pj_per_bit);
  CHECK(after.energy.sram_leakage_w_per_mb < before.energy.sram_leakage_w_per_mb);
  CHECK(after.energy.hbm.read_pj_per_bit == before.energy.hbm.read_pj_per_bit);
  CHECK(after.energy.mac_pj == before.energy.mac_pj);
  CHECK(after.energy.link_pj_per_bit == before.energy.link_pj_per_bit);
  CHECK(after.cost.node_price_usd == before.cost.node_price_usd);
}

TEST_CASE("read_prices: single formats, links and costs can be priced") {
  PlatformSpec platform = read_platform("ref-asic");
  REQUIRE(platform.energy.link_pj_per_bit.size() == 2);
  const double node_link = platform.energy.link_pj_per_bit[1];
  CHECK(node_link > platform.energy.link_pj_per_bit[0]);  // leaving the package costs more
  const TempFile table{
      "energy:\n  mac_pj: {fp8: 0.05}\n  link_pj_per_bit: {package: 0.3, scale_out: 9}\n"
      "cost: {pue: 1.4}\n"};
  const ResolvedValues changed = read_prices(table.path(), platform);
  CHECK(changed.size() == 4);
  CHECK(platform.energy.mac_pj[static_cast<std::size_t>(Precision::Fp8)] == 0.05);
  CHECK(platform.energy.link_pj_per_bit == std::vector<double>{0.3, node_link});
  CHECK(platform.cost.pue == 1.4);
}

TEST_CASE("read_prices: a part of HBM's energy can be priced") {
  PlatformSpec platform = read_platform("ref-asic");
  const HbmPrices before = platform.energy.hbm;
  const TempFile table{"energy: {hbm: {activate_nj: 2 nJ, bank_active_mw: 0.1}}\n"};
  CHECK(read_prices(table.path(), platform).size() == 2);
  CHECK(platform.energy.hbm.activate_nj == 2);
  CHECK(platform.energy.hbm.bank_active_mw == 0.1);
  CHECK(platform.energy.hbm.io_pj_per_bit == before.io_pj_per_bit);
}

TEST_CASE("read_prices: hosting and NRE may be priced, NRE with the nodes that share it") {
  PlatformSpec platform = read_platform("ref-asic");
  CHECK(platform.cost.hosting_usd_per_kw_month == 0);
  (void)read_prices("colocation", platform);
  CHECK(platform.cost.hosting_usd_per_kw_month == 184.06);
  const TempFile nre{"cost: {nre_usd: 6e7, nre_nodes: 2500}\n"};
  (void)read_prices(nre.path(), platform);
  CHECK(platform.cost.nre_usd == 6e7);
  PlatformSpec other = read_platform("ref-asic");
  const TempFile alone{"cost: {nre_usd: 6e7}\n"};
  CHECK(message_of([&] { (void)read_prices(alone.path(), other); }) ==
        alone.path() +
            ":1:17: platform.cost.nre_usd: nre_usd and nre_nodes, by which it is divided, go "
            "together");
}

TEST_CASE("price_at: names every price that a platform reads, and no other value") {
  PlatformSpec platform = read_platform("ref-asic");
  CHECK(price_at(platform, "platform.energy.hbm.phy_pj_per_bit") ==
        &platform.energy.hbm.phy_pj_per_bit);
  CHECK(price_at(platform, "platform.energy.mac_pj.fp8") ==
        &platform.energy.mac_pj[static_cast<std::size_t>(Precision::Fp8)]);
  CHECK(price_at(platform, "platform.energy.link_pj_per_bit.node") ==
        &platform.energy.link_pj_per_bit[1]);
  CHECK(price_at(platform, "platform.energy.link_pj_per_bit.scale_out") == nullptr);  // one node
  CHECK(price_at(platform, "platform.cost.pue") == &platform.cost.pue);
  CHECK(price_at(platform, "platform.die.area_mm2") == nullptr);

  std::vector<ResolvedValue> values;
  (void)read_platform("ref-asic", {}, &values);
  for (const ResolvedValue& value : values)
    if (value.path.starts_with("platform.cost.") || value.path.starts_with("platform.energy.")) {
      CAPTURE(value.path);
      const bool unused_link = value.path.ends_with("link_pj_per_bit.scale_out");
      CHECK((price_at(platform, value.path) != nullptr) != unused_link);
    }
  // What has a range of silicon is sampled too.
  for (const ResolvedValue& value : values)
    if (value.path.starts_with("platform.die.silicon.") && value.range) {
      CAPTURE(value.path);
      CHECK(price_at(platform, value.path) != nullptr);
    }
  CHECK(price_at(platform, "platform.die.fill") == &platform.die.fill);
  const auto price = std::ranges::find(values, "platform.cost.markup", &ResolvedValue::path);
  REQUIRE(price != values.end());
  CHECK(price->range.has_value());
}

TEST_CASE("read_prices: the checks are the platform's") {
  PlatformSpec platform = read_platform("ref-asic");
  const TempFile typo{"energy:\n  sram_reed_pj_per_bit: 1\n"};
  CHECK(message_of([&] { (void)read_prices(typo.path(), platform); }) ==
        typo.path() +
            ":2:3: platform.energy.sram_reed_pj_per_bit: unknown key (did you mean "
            "sram_read_pj_per_bit?)");
  const TempFile hbm_typo{"energy:\n  hbm:\n    oi_pj_per_bit: 1\n"};
  CHECK(message_of([&] { (void)read_prices(hbm_typo.path(), platform); }) ==
        hbm_typo.path() +
            ":3:5: platform.energy.hbm.oi_pj_per_bit: unknown key (did you mean io_pj_per_bit?)");
  const TempFile negative{"cost: {pue: 0.5}\n"};
  CHECK(message_of([&] { (void)read_prices(negative.path(), platform); }) ==
        negative.path() + ":1:13: platform.cost.pue: must be between 1 and 10, got 0.5");
  CHECK(message_of([&] { (void)read_prices("optimistic-sran", platform); }) ==
        "unknown price table 'optimistic-sran' (did you mean optimistic-sram?); known: "
        "colocation, optimistic-sram");
}
}  // namespace reticle
