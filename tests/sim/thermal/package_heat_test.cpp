// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/package_heat.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/sim/thermal/package_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

PackagePower power_of(std::vector<double> die_w, double leakage_w, double lid_w = 0) {
  const std::size_t n = die_w.size();
  return {std::move(die_w), std::vector<double>(n, lid_w), leakage_w};
}

/// Solves a x = b by elimination with pivots.
std::vector<double> eliminate(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < n; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    std::swap(a[c], a[pivot]);
    std::swap(b[c], b[pivot]);
    for (std::size_t r = c + 1; r < n; ++r) {
      const double f = a[r][c] / a[c][c];
      for (std::size_t k = c; k < n; ++k) a[r][k] -= f * a[c][k];
      b[r] -= f * b[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t k = c + 1; k < n; ++k) b[c] -= a[c][k] * b[k];
    b[c] /= a[c][c];
  }
  return b;
}

/// The same network written down anew, as equations of heat flow, and solved by Newton's method:
/// temperatures of the dies of a `width` x `height` package.
std::vector<double> independent_die_c(const PlatformSpec& p, const PackagePower& power,
                                      std::size_t width, std::size_t height) {
  const CoolingParams& c = *p.cooling;
  const double area = p.die.area_mm2;
  const std::size_t n = width * height, all = 3 * n;
  std::vector<double> t(all, c.coolant_c);
  for (int round = 0; round < 60; ++round) {
    // Row i: heat into node i less heat out of it, and its derivatives.
    std::vector<std::vector<double>> slope(all, std::vector<double>(all));
    std::vector<double> excess(all);
    const auto flow = [&](std::size_t i, std::size_t j, double g) {
      excess[i] += g * (t[j] - t[i]);
      excess[j] += g * (t[i] - t[j]);
      slope[i][i] -= g, slope[i][j] += g, slope[j][j] -= g, slope[j][i] += g;
    };
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) {
        const std::size_t d = y * width + x;
        const double leaks =
            power.leakage_w * std::pow(2, (t[d] - c.leakage_reference_c) / c.leakage_doubling_k);
        excess[d] += power.die_w[d] + leaks;
        slope[d][d] += leaks * std::log(2) / c.leakage_doubling_k;
        excess[n + d] += power.lid_w[d];
        flow(d, n + d, area / c.die_to_lid);
        flow(n + d, 2 * n + d, area / c.lid_to_plate);
        excess[2 * n + d] -= (t[2 * n + d] - c.coolant_c) * area / c.plate_to_coolant;
        slope[2 * n + d][2 * n + d] -= area / c.plate_to_coolant;
        for (const std::size_t other : {x + 1 < width ? d + 1 : n, y + 1 < height ? d + width : n})
          if (other < n) {
            flow(d, other, c.die_spread);
            flow(n + d, n + other, c.lid_spread);
            flow(2 * n + d, 2 * n + other, c.plate_spread);
          }
      }
    const auto step = eliminate(slope, excess);
    for (std::size_t i = 0; i < all; ++i) t[i] -= step[i];
  }
  t.resize(n);
  return t;
}

}  // namespace

TEST_CASE("package heat: one die is a chain of resistances") {
  PackageHeat heat{package_of(1)};
  REQUIRE(heat.settle(power_of({30}, 0)));
  CHECK(std::abs(heat.hottest_c() - 70) < 1e-6);  // 40 C + 30 W x 1 K/W
  CHECK(std::abs(heat.plate_c(0) - 55) < 1e-6);   // half of it
  REQUIRE(heat.settle(power_of({30}, 0, 10)));    // the stacks' 10 W enter the lid
  CHECK(std::abs(heat.hottest_c() - 78) < 1e-6);  // 0.8 K/W from there
  CHECK(std::abs(heat.sheds_w(100) - 60) < 1e-9);
}

TEST_CASE("package heat: leakage settles where the closed form says") {
  // T = 40 + 20 + 1 K/W x 5 W x 2^((T - 85) / 15), by bisection.
  double low = 40, high = 100;
  for (int i = 0; i < 200; ++i) {
    const double t = (low + high) / 2;
    (60 + 5 * std::exp2((t - 85) / 15) > t ? low : high) = t;
  }
  PackageHeat heat{package_of(1)};
  REQUIRE(heat.settle(power_of({20}, 5)));
  CHECK(std::abs(heat.hottest_c() - low) < 1e-5);
}

TEST_CASE("package heat: dies that do alike do not warm each other") {
  PackageHeat one{package_of(1)}, many{package_of(6)};
  REQUIRE(one.settle(power_of({25}, 4)));
  REQUIRE(many.settle(power_of(std::vector<double>(6, 25.0), 4)));
  for (std::size_t d = 0; d < 6; ++d) CHECK(std::abs(many.die_c(d) - one.die_c(0)) < 1e-6);
}

TEST_CASE("package heat: an independent solution of the same network agrees") {
  for (const auto& [width, height] : {std::pair<std::size_t, std::size_t>{2, 2}, {3, 3}, {4, 3}}) {
    PlatformSpec p = package_of(static_cast<std::int64_t>(width * height));
    p.cooling->die_spread = 0.1;
    std::vector<double> watts;
    for (std::size_t d = 0; d < width * height; ++d)
      watts.push_back(5 + 7 * static_cast<double>(d * d % 5));
    const PackagePower power = power_of(watts, 3, 2);
    PackageHeat heat{p};
    REQUIRE(heat.settle(power));
    const auto expected = independent_die_c(p, power, width, height);
    for (std::size_t d = 0; d < expected.size(); ++d) {
      CAPTURE(d);
      // Within 1 % of the rise is asked for; the two differ by rounding alone.
      CHECK(std::abs(heat.die_c(d) - expected[d]) < 1e-5 * (expected[d] - p.cooling->coolant_c));
    }
    // And the way there ends there.
    PackageHeat slow{p};
    for (int i = 0; i < 4000; ++i) slow.advance(0.05, power);
    for (std::size_t d = 0; d < expected.size(); ++d)
      CHECK(std::abs(slow.die_c(d) - expected[d]) < 1e-4 * (expected[d] - p.cooling->coolant_c));
  }
}

TEST_CASE("package heat: heat runs away exactly beyond the last steady state") {
  // At the tangent leakage warms the die by D / ln 2; the power that is left decides.
  constexpr double kLeakage = 8, kDoubling = 15;
  const double rise = kDoubling / std::log(2);
  const double at = 85 + kDoubling * std::log2(rise / kLeakage);  // 1 K/W
  const double most = at - rise - 40;
  PackageHeat heat{package_of(1)};
  const PackagePower below = power_of({most * 0.995}, kLeakage);
  REQUIRE(heat.settle(below));
  CHECK(heat.loop_gain(below) < 1);
  CHECK(heat.loop_gain(below) > 0.7);
  const double hottest = heat.hottest_c();
  CHECK(hottest < at);
  CHECK_FALSE(heat.settle(power_of({most * 1.005}, kLeakage)));
  CHECK(heat.hottest_c() == hottest);  // nothing has changed
  for (int i = 0; i < 4000 && heat.hottest_c() < 150; ++i)
    heat.advance(0.05, power_of({most * 1.2}, kLeakage));
  CHECK(heat.hottest_c() > 150);
  CHECK(heat.loop_gain(power_of({0}, kLeakage)) > 1);
}

TEST_CASE("package heat: more power, less cooling and warmer coolant make every die hotter") {
  const auto hottest = [](auto change, double watts) {
    PlatformSpec p = package_of(4);
    change(*p.cooling);
    PackageHeat heat{p};
    REQUIRE(heat.settle(power_of({watts, 5, 5, 5}, 2)));
    return heat.hottest_c();
  };
  const double base = hottest([](auto&) {}, 20);
  CHECK(hottest([](auto&) {}, 22) > base);
  CHECK(hottest([](CoolingParams& c) { c.coolant_c += 5; }, 20) > base + 5);
  CHECK(hottest([](CoolingParams& c) { c.plate_to_coolant *= 1.2; }, 20) > base);
  CHECK(hottest([](CoolingParams& c) { c.lid_spread *= 4; }, 20) < base);
}

TEST_CASE("package heat: dies lie as their mesh does") {
  PlatformSpec p = package_of(12);
  FabricLevel level;
  level.name = "package";
  level.kind = TopologyKind::Mesh2d;
  level.width = 2;
  level.height = 6;
  p.fabric.levels.push_back(level);
  CHECK(floor_plan(p).width == 2);
  CHECK(floor_plan(p).height == 6);
  CHECK(floor_plan(package_of(12)).width == 4);
}
