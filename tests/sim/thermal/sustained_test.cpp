// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/sustained.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/sim/thermal/package_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {
ThermalLoad load_of(double die_w, double leakage_w = 0, std::size_t packages = 1) {
  ThermalLoad load;
  for (std::size_t p = 0; p < packages; ++p) load.packages.push_back({{die_w}, {0.0}, leakage_w});
  load.clocked_share = 1;
  return load;
}
}  // namespace

TEST_CASE("sustained: what fits runs at the full clock for ever") {
  const SustainedPoint point = sustained(package_of(1), load_of(40));
  CHECK(point.clock == 1);
  CHECK(point.speed == 1);
  CHECK(point.bound_by == PowerLimit::None);
  CHECK(std::abs(point.hottest_c - 80) < 1e-6);
  CHECK(point.kept_up);
  CHECK_FALSE(seconds_until_throttling(package_of(1), load_of(40)).has_value());
}

TEST_CASE("sustained: the clock falls to where the steady temperature is at its limit") {
  // 87 C are 47 W at 1 K/W; power goes as clock^2.5.
  const double exact = std::pow(47.0 / 80, 1 / 2.5);
  const SustainedPoint point = sustained(package_of(1), load_of(80));
  CHECK(point.bound_by == PowerLimit::Temperature);
  CHECK(point.clock <= exact);
  CHECK(point.clock > exact - 0.01);  // one step of the clock
  CHECK(point.hottest_c <= 87);
  CHECK(std::abs(point.speed - point.clock) < 1e-12);
}

TEST_CASE("sustained: what does not hang on the clock does not slow down") {
  ThermalLoad load = load_of(80);
  load.clocked_share = 0;
  const SustainedPoint point = sustained(package_of(1), load);
  CHECK(point.speed == 1);
  // Events come as often; each takes clock^1.5.
  const double exact = std::pow(47.0 / 80, 1 / 1.5);
  CHECK(point.clock <= exact);
  CHECK(point.clock > exact - 0.01);
}

TEST_CASE("sustained: clocks run without work, and slow down with the clock alone") {
  ThermalLoad load = load_of(20);
  load.packages.front().clock_w = 60;
  load.packages.front().lid_idle_w = 10;
  const PackagePower half = power_at(load.packages.front(), 0.5, 0.5, *package_of(1).cooling);
  CHECK(std::abs(half.clock_w - 60 * std::pow(0.5, 2.5)) < 1e-9);
  CHECK(half.lid_idle_w == 10);
  CHECK(std::abs(half.die_w.front() - 20 / 1.5 * std::pow(0.5, 1.5)) < 1e-9);
  // 0.8 K/W from the lid, 1 K/W from the die: 8 K, and 39 W left below 87 C.
  const double exact = std::pow(39.0 / 80, 1 / 2.5);
  const SustainedPoint point = sustained(package_of(1), load);
  CHECK(point.bound_by == PowerLimit::Temperature);
  CHECK(point.clock <= exact);
  CHECK(point.clock > exact - 0.01);
}

TEST_CASE("sustained: a package and a node keep to their power") {
  PlatformSpec p = package_of(1);
  p.cooling->package_power_limit_w = 30;
  const SustainedPoint package = sustained(p, load_of(40));
  CHECK(package.bound_by == PowerLimit::PackagePower);
  CHECK(package.package_w <= 30);
  CHECK(package.package_w > 30 * std::pow(1 - 0.01 / package.clock, 2.5) - 1e-9);

  PlatformSpec q = package_of(1);
  q.packages_per_node = 2;
  q.node_power_limit_w = 100;
  ThermalLoad load = load_of(40, 0, 2);
  load.always_w = 30;
  const SustainedPoint node = sustained(q, load);
  CHECK(node.bound_by == PowerLimit::NodePower);
  CHECK(node.node_w <= 100);
  CHECK(node.clock < 1);
}

TEST_CASE("sustained: leakage lowers the clock, and beyond all clocks is said so") {
  const double cool = sustained(package_of(1), load_of(80)).clock;
  const SustainedPoint leaky = sustained(package_of(1), load_of(80, 10));
  CHECK(leaky.clock < cool);
  CHECK(leaky.kept_up);
  const SustainedPoint never = sustained(package_of(1), load_of(80, 200));
  CHECK_FALSE(never.kept_up);
  CHECK(never.bound_by == PowerLimit::Runaway);
}

TEST_CASE("sustained: the time to throttling is that of the network") {
  // Slow plate, quick die: after the die has followed, one exponential.
  PlatformSpec p = package_of(1);
  p.cooling->die_capacity = p.cooling->lid_capacity = 1e-9;
  p.cooling->plate_capacity = 1;  // 100 J/K behind 0.5 K/W: 50 s
  const double watts = 60;
  const auto time = seconds_until_throttling(p, load_of(watts));
  REQUIRE(time);
  // Die is 0.5 K/W x 60 W above the plate, which may reach 57 C of its 70 C.
  const double exact = -50 * std::log(1 - (87 - 30 - 40) / 30.0);
  CHECK(std::abs(*time - exact) < 0.01 * exact);
  // It would be too hot in the end, but takes more than it may from the first moment on.
  p.cooling->package_power_limit_w = 50;
  CHECK(seconds_until_throttling(p, load_of(watts)) == 0.0);
  // What leaks more when warm passes its limit on the way there.
  p.cooling->package_power_limit_w = 62;
  const auto on_the_way = seconds_until_throttling(p, load_of(watts, 2.5));
  REQUIRE(on_the_way);
  CHECK(*on_the_way > 0);
  p.cooling->package_power_limit_w = 0;
  CHECK(*on_the_way < *seconds_until_throttling(p, load_of(watts, 2.5)));
}
