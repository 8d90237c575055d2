// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/silicon.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "tests/sim/accounts/example_platform.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
SiliconParams example_silicon() {
  SiliconParams s;
  s.standard = "n5";
  s.wafer_usd = 17'000;
  s.wafer_mm = 300;
  s.edge_mm = 5;
  s.scribe_mm = 0.2;
  s.defects_per_cm2 = 0.1;
  s.cluster_alpha = 10;
  s.sram_mbit_per_mm2 = 32;
  s.sram_repaired = 0.9;
  s.hbm_phy_mm2 = 12;
  s.mac_um2[static_cast<std::size_t>(Precision::Bf16)] = 470;
  return s;
}

PlatformSpec made_platform() {
  PlatformSpec p = example_platform();
  p.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Bf16)] = 2;
  p.die.silicon = example_silicon();
  p.cost.bond_yield = 0.99;
  p.cost.package_usd = 1'000;
  p.cost.hbm_usd_per_gb = 15;
  p.cost.node_parts_usd = 5'000;
  return p;
}

/// Squares with streets between them, side by side in rows, all within the usable disc: the most of
/// some positions of the grid.
double packed(double side, double usable) {
  std::int64_t most = 0;
  const double r = usable / 2;
  for (int ox = 0; ox < 8; ++ox)
    for (int oy = 0; oy < 8; ++oy) {
      std::int64_t count = 0;
      const double x0 = side * ox / 8 - 40 * side, y0 = side * oy / 8 - 40 * side;
      for (int i = 0; i < 80; ++i)
        for (int j = 0; j < 80; ++j) {
          const double x = std::max(std::abs(x0 + i * side), std::abs(x0 + (i + 1) * side));
          const double y = std::max(std::abs(y0 + j * side), std::abs(y0 + (j + 1) * side));
          count += x * x + y * y <= r * r ? 1 : 0;
        }
      most = std::max(most, count);
    }
  return static_cast<double>(most);
}
}  // namespace

TEST_CASE("silicon: the yield of a clustered process lies between Poisson's and one's") {
  SiliconParams s = example_silicon();
  // A D = 0.814: negative binomial 45.7 % with alpha 10, 48.7 % with 3; Poisson 44.3 %.
  CHECK(std::abs(yield_of(s, 814, 0) - 0.457) < 5e-4);
  s.cluster_alpha = 3;
  CHECK(std::abs(yield_of(s, 814, 0) - 0.487) < 5e-4);
  s.cluster_alpha = 1e9;
  CHECK(std::abs(yield_of(s, 814, 0) - std::exp(-0.814)) < 1e-6);
}

TEST_CASE("silicon: repair counts defects in SRAM for a tenth, and a perfect process loses none") {
  SiliconParams s = example_silicon();
  CHECK(yield_of(s, 800, 500) == yield_of(s, 800 - 450, 0));
  CHECK(yield_of(s, 800, 900) == yield_of(s, 80, 0));  // no more SRAM than die
  s.defects_per_cm2 = 0;
  CHECK(yield_of(s, 800, 0) == 1);
}

TEST_CASE("silicon: the dies of a wafer are those that a count one by one finds") {
  const SiliconParams s = example_silicon();
  for (const double area : {50.0, 100.0, 200.0, 400.0, 600.0, 858.0}) {
    CAPTURE(area);
    const double count = packed(std::sqrt(area) + s.scribe_mm, s.wafer_mm - 2 * s.edge_mm);
    CHECK(std::abs(dies_per_wafer(s, area) - count) <= 1);  // one that touches the rim
    // [de Vries, IEEE Trans. Semicond. Manuf. 18(1), 2005]: disc / die x exp(-2 side / diameter)
    const double side = std::sqrt(area) + s.scribe_mm, usable = s.wafer_mm - 2 * s.edge_mm;
    const double formula =
        std::numbers::pi / 4 * std::pow(usable / side, 2) * std::exp(-2 * side / usable);
    CHECK(std::abs(dies_per_wafer(s, area) / formula - 1) < 0.06);
  }
  CHECK(dies_per_wafer(s, 80'000) == 0);  // more than a wafer
}

TEST_CASE("silicon: the floor is SRAM over its density, the dearest format, and PHYs") {
  PlatformSpec p = made_platform();
  const AreaFloor floor = area_floor(p.die);
  CHECK(std::abs(floor.sram_mm2 - 8'000.0 / 32) < 1e-9);  // 1 GB
  CHECK(floor.hbm_phy_mm2 == 24);
  CHECK(
      floor.mac_mm2 ==
      doctest::Approx(static_cast<double>(macs_per_cycle(p.die.mac)) / 2 * 470e-6).epsilon(1e-12));
  // A second format that takes less shares the arrays; one that takes more decides.
  p.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Fp8)] = 1;
  p.die.silicon->mac_um2[static_cast<std::size_t>(Precision::Fp8)] = 200;
  CHECK(area_floor(p.die).mac_mm2 == floor.mac_mm2);
}

TEST_CASE("silicon: where area follows fill, more SRAM makes a larger, dearer die") {
  PlatformSpec p = made_platform();
  p.die.area_mm2 = 0;
  p.die.fill = 0.5;
  double area = 0, price = 0;
  for (const Bytes sram : {512_MiB, 1_GB, 2_GB, 4_GB}) {
    p.die.sram.capacity = sram;
    const auto made = price_silicon(p);
    REQUIRE(made.has_value());
    CHECK(made->area_mm2 == made->floor.mm2() / 0.5);
    CHECK(made->area_mm2 > area);
    CHECK(made->good_die_usd > price);
    area = made->area_mm2;
    price = made->good_die_usd;
  }
}

TEST_CASE("silicon: package and node add up, each part placed can be lost") {
  PlatformSpec p = made_platform();
  const auto made = price_silicon(p);
  REQUIRE(made.has_value());
  CHECK(made->good_die_usd ==
        doctest::Approx(17'000 / made->dies_per_wafer / made->yield).epsilon(1e-12));
  const auto dies = static_cast<double>(p.dies_per_package);
  const double parts = dies * (1 + 2);  // a die and two stacks each
  const double whole = dies * (made->good_die_usd + 32 * 15) + 1'000;
  CHECK(made->package_usd == doctest::Approx(whole / std::pow(0.99, parts)).epsilon(1e-12));
  const double far = dies * static_cast<double>(p.die.far ? p.die.far->capacity.count() : 0) * 1e-9;
  p.cost.far_usd_per_gb = 2;
  CHECK(price_silicon(p)->node_usd ==
        doctest::Approx(static_cast<double>(p.packages_per_node) * (made->package_usd + 2 * far) +
                        5'000)
            .epsilon(1e-12));
  const auto parted = price_silicon(p);
  const auto packages = static_cast<double>(p.packages_per_node);
  CHECK(parted->node_dies_usd == doctest::Approx(packages * dies * parted->good_die_usd));
  CHECK(parted->node_hbm_usd == doctest::Approx(packages * dies * 32 * 15));
  CHECK(parted->node_far_usd == doctest::Approx(packages * 2 * far));
}

TEST_CASE("silicon: a whole wafer is used with its defects, and costs what it costs") {
  PlatformSpec p = made_platform();
  p.die.silicon->whole_wafer = true;
  p.die.silicon->defects_per_cm2 = 50;
  p.die.hbm.reset();
  p.cost.bond_yield = 1;
  const auto made = price_silicon(p);
  REQUIRE(made.has_value());
  CHECK(made->yield == 1);
  CHECK(made->package_usd == doctest::Approx(17'000 + 1'000).epsilon(1e-12));
}

TEST_CASE("silicon: a stated price holds, else the markup on what a node costs to make") {
  PlatformSpec p = made_platform();
  p.cost.markup = 2;
  CHECK(node_price_usd(p) == p.cost.node_price_usd);
  p.cost.node_price_usd = 0;
  CHECK(node_price_usd(p) == 2 * price_silicon(p)->node_usd);
  p.die.silicon.reset();
  CHECK(!price_silicon(p).has_value());
  CHECK(node_price_usd(p) == 0);
}
