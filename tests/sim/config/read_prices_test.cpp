// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_prices.hpp"

#include <doctest/doctest.h>

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
        "optimistic-sram");
}
}  // namespace reticle
