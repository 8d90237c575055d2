// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/kriging.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "sim/base/rng.hpp"

using namespace reticle;

namespace {

/// A smooth field of two coordinates.
double field(double x, double y) { return 0.05 * std::sin(x) + 0.03 * x * y; }

Kriging grid(double spacing) {
  Kriging kriging{0.1};
  for (double x = 0; x <= 2; x += spacing)
    for (double y = 0; y <= 2; y += spacing) kriging.add({x, y}, field(x, y));
  return kriging;
}

}  // namespace

TEST_CASE("Kriging: nothing is known without samples") {
  CHECK(Kriging{0.1}.at({}).standard_error == std::numeric_limits<double>::infinity());
}

TEST_CASE("Kriging: a sample is met where it was taken and trusted the less the farther away") {
  Kriging kriging{0.1};
  kriging.add({1}, 0.25);
  CHECK(std::abs(kriging.at({1}).value - 0.25) < 1e-12);
  double last = kriging.at({1}).standard_error;
  CHECK(last < 0.002);
  for (const double away : {0.05, 0.2, 0.8, 3.0}) {
    const double error = kriging.at({1 + away}).standard_error;
    CHECK(error > last);
    last = error;
  }
  CHECK(last > 0.1);
}

TEST_CASE("Kriging: weights sum to one and errors stay within what it says of them") {
  for (const double spacing : {0.5, 0.25}) {
    const Kriging kriging = grid(spacing);
    double largest = 0;
    for (double x = 0.1; x < 2; x += 0.3)
      for (double y = 0.2; y < 2; y += 0.3) {
        const Kriging::Estimate e = kriging.at({x, y});
        double sum = 0;
        for (const auto& w : e.weights) sum += w.weight;
        CHECK(std::abs(sum - 1) < 1e-9);
        const double error = std::abs(e.value - field(x, y));
        CHECK(error < 2 * e.standard_error);
        largest = std::max(largest, e.standard_error);
      }
    CHECK(largest < 0.1 * spacing);
  }
}

TEST_CASE("Kriging: values at one place are averaged and tell the noise") {
  Kriging kriging{0.1};
  RngStream draws{1, "kriging test"};
  constexpr int kValues = 400;
  constexpr double kNoise = 0.02;
  for (int i = 0; i < kValues; ++i) CHECK(kriging.add({1, 1}, 0.5 + kNoise * draws.normal()) == 0);
  CHECK(kriging.size() == 1);
  CHECK(kriging.values_of(0) == kValues);
  CHECK(std::abs(std::sqrt(kriging.noise()) / kNoise - 1) < 0.15);
  const Kriging::Estimate e = kriging.at({1, 1});
  CHECK(std::abs(e.standard_error / (kNoise / 20) - 1) < 0.2);  // of a mean of 400
  CHECK(std::abs(e.value - 0.5) < 3 * e.standard_error);
}

TEST_CASE("Kriging: what is kept from one estimate to the next changes none") {
  // Many samples on a path of small steps, with jumps and new samples between.
  Kriging walked{0.1};
  RngStream rng{7, "kriging walk"};
  std::vector<std::pair<Kriging::Point, double>> samples;
  const auto add = [&] {
    samples.push_back({{4 * rng.uniform(), 4 * rng.uniform(), rng.uniform()}, rng.normal() / 20});
    walked.add(samples.back().first, samples.back().second);
  };
  for (int i = 0; i < 300; ++i) add();
  Kriging::Point at{};
  for (int step = 0; step < 400; ++step) {
    if (step % 40 == 0) at = {4 * rng.uniform(), 4 * rng.uniform(), 0.5};
    if (step % 90 == 0) add();
    at[0] += 0.003;
    at[1] += 0.001;
    Kriging fresh{0.1};
    for (const auto& [point, value] : samples) fresh.add(point, value);
    const Kriging::Estimate one = walked.at(at), other = fresh.at(at);
    REQUIRE(one.weights.size() == other.weights.size());
    for (std::size_t i = 0; i < one.weights.size(); ++i) {
      REQUIRE(one.weights[i].sample == other.weights[i].sample);
      CHECK(one.weights[i].weight == other.weights[i].weight);
    }
    CHECK(one.value == other.value);
    CHECK(one.standard_error == other.standard_error);
  }
}
