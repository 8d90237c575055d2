// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/error_figures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sim/base/error.hpp"

using namespace reticle;

TEST_CASE("error figures: of ten errors with alternating signs") {
  std::vector<double> errors;
  for (int i = 1; i <= 10; ++i) errors.push_back((i % 2 == 0 ? -0.125 : 0.125) * i);
  const auto f = error_figures(errors);
  REQUIRE(f);
  CHECK(f->count == 10);
  CHECK(f->mape == 0.125 * 55 / 10);
  CHECK(f->median == 0.125 * 5);
  CHECK(f->p90 == 0.125 * 9);
  CHECK(f->bias == 0.125 * (25 - 30) / 10);
}

TEST_CASE("error figures: do not depend on the order, and of none there are none") {
  std::vector<double> errors{0.1, -0.7, 0.3, 1e-9, -0.2, 1e9};
  const auto forward = error_figures(errors);
  std::ranges::reverse(errors);
  const auto backward = error_figures(errors);
  CHECK(forward->mape == backward->mape);
  CHECK(forward->bias == backward->bias);
  CHECK_FALSE(error_figures({}));
}

TEST_CASE("error figures: all errors scaled scale every figure") {
  const std::array<double, 5> errors{0.25, -0.5, 0.75, -1, 0.125};
  std::array<double, 5> doubled{};
  std::ranges::transform(errors, doubled.begin(), [](double e) { return 2 * e; });
  const auto one = error_figures(errors), two = error_figures(doubled);
  CHECK(two->mape == 2 * one->mape);
  CHECK(two->median == 2 * one->median);
  CHECK(two->p90 == 2 * one->p90);
  CHECK(two->bias == 2 * one->bias);
}

TEST_CASE("relative error: a third more is a third, and nothing measured is our mistake") {
  CHECK(relative_error(3, 2) == 0.5);
  CHECK(relative_error(1, 2) == -0.5);
  CHECK_THROWS_AS(relative_error(1, 0), InvariantError);
}
