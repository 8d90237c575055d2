// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/thermal_network.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace reticle;

TEST_CASE("thermal network: a chain's steady state is the sum of its resistances") {
  // 2 K/W, 3 K/W, 5 K/W to the outside; heat at the far end crosses all three.
  const ThermalNetwork chain{{1, 1, 1}, {{0, 1, 1.0 / 2}, {1, 2, 1.0 / 3}}, {0, 0, 1.0 / 5}};
  const auto rise = chain.steady(std::vector<double>{10, 0, 0});
  CHECK(std::abs(rise[0] - 100) < 1e-9);
  CHECK(std::abs(rise[1] - 80) < 1e-9);
  CHECK(std::abs(rise[2] - 50) < 1e-9);
}

TEST_CASE("thermal network: one node warms as an exponential, ever closer with shorter steps") {
  constexpr double kWatts = 7, kCapacity = 3, kConductance = 0.5, kAt = 4;
  const double exact = kWatts / kConductance * (1 - std::exp(-kAt * kConductance / kCapacity));
  double error_before = 1e9;
  for (const int steps : {10, 100, 1000}) {
    ThermalNetwork node{{kCapacity}, {}, {kConductance}};
    for (int i = 0; i < steps; ++i) node.advance(kAt / steps, std::vector<double>{kWatts});
    const double error = std::abs(node.rise()[0] - exact);
    CHECK(error < error_before / 8);  // of first order: a tenth of the step, a tenth of the error
    error_before = error;
  }
  CHECK(error_before < 1e-3 * exact);
}

TEST_CASE("thermal network: what comes in leaves or is stored") {
  ThermalNetwork net{{1, 2, 3}, {{0, 1, 0.7}, {1, 2, 0.2}, {0, 2, 0.1}}, {0.05, 0, 0.3}};
  double in = 0, out = 0;
  constexpr double kStep = 0.25;
  for (int i = 0; i < 200; ++i) {
    const std::vector<double> watts{5.0 + i % 7, 0, 1};
    net.advance(kStep, watts);
    in += kStep * (watts[0] + watts[1] + watts[2]);
    out += kStep * net.outflow();  // backward Euler: of the step's end
  }
  CHECK(std::abs(in - out - net.stored()) < 1e-9 * in);
}

TEST_CASE("thermal network: it goes to its steady state from above and from below") {
  ThermalNetwork net{{1, 1}, {{0, 1, 2}}, {0, 1}};
  const std::vector<double> watts{4, 0};
  const auto end = net.steady(watts);
  for (const double from : {0.0, 100.0}) {
    net.set_rise({from, from});
    for (int i = 0; i < 400; ++i) net.advance(0.5, watts);
    for (std::size_t n = 0; n < 2; ++n) CHECK(std::abs(net.rise()[n] - end[n]) < 1e-6);
  }
}
