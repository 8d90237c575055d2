// SPDX-License-Identifier: Apache-2.0
#include "sim/base/rng.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

using namespace reticle;

namespace {

constexpr int kDraws = 100'000;

struct Moments {
  double mean;
  double variance;
};

template <class Draw>
Moments moments_of(Draw draw) {
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

/// Five standard errors of a mean: a right generator fails once in two million seeds.
double tolerance(double variance) { return 5.0 * std::sqrt(variance / kDraws); }

}  // namespace

TEST_CASE("mix64: answers the published first values of splitmix64 with seed 0") {
  CHECK(mix64(0) == 0xe220a8397b1dcdafULL);
  CHECK(mix64(0x9e3779b97f4a7c15ULL) == 0x6e789e6aa1b965f4ULL);
}

TEST_CASE("fnv1a64: answers the published test vectors, in one go or in pieces") {
  CHECK(fnv1a64("") == 0xcbf29ce484222325ULL);
  CHECK(fnv1a64("a") == 0xaf63dc4c8601ec8cULL);
  CHECK(fnv1a64("foobar") == 0x85944171f73967e8ULL);
  CHECK(fnv1a64("bar", fnv1a64("foo")) == fnv1a64("foobar"));
}

TEST_CASE("combine64: the order of the keys matters") {
  CHECK(combine64(1, 2) != combine64(2, 1));
  CHECK(combine64(1, 2) != combine64(1, 3));
}

TEST_CASE("unit_interval: covers 0 to 1 and never reaches 1") {
  CHECK(unit_interval(0) == 0.0);
  CHECK(unit_interval(~0ULL) < 1.0);
  CHECK(unit_interval(1ULL << 63) == 0.5);
}

TEST_CASE("RngStream: the same seed and purpose give the same numbers, others do not") {
  RngStream a{7, "arrivals"};
  RngStream b{7, "arrivals"};
  RngStream other_purpose{7, "lengths"};
  RngStream other_seed{8, "arrivals"};
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t value = a.next();
    CHECK(value == b.next());
    CHECK(value != other_purpose.next());
    CHECK(value != other_seed.next());
  }
}

TEST_CASE("RngStream: distributions have their mean and variance") {
  RngStream rng{1, "moments"};
  const Moments uniform = moments_of([&] { return rng.uniform(); });
  CHECK(std::abs(uniform.mean - 0.5) < tolerance(1.0 / 12));
  CHECK(uniform.variance == doctest::Approx(1.0 / 12).epsilon(0.02));
  const Moments exponential = moments_of([&] { return rng.exponential(3.0); });
  CHECK(std::abs(exponential.mean - 3.0) < tolerance(9.0));
  const Moments normal = moments_of([&] { return rng.normal(); });
  CHECK(std::abs(normal.mean) < tolerance(1.0));
  CHECK(normal.variance == doctest::Approx(1.0).epsilon(0.03));
  constexpr double kSigma = 0.5;
  const Moments lognormal = moments_of([&] { return rng.lognormal(1.0, kSigma); });
  const double mean = std::exp(1.0 + kSigma * kSigma / 2);
  CHECK(std::abs(lognormal.mean - mean) < tolerance(mean * mean * std::expm1(kSigma * kSigma)));
}

TEST_CASE("RngStream: below reaches every number under the bound equally often") {
  RngStream rng{1, "below"};
  std::array<int, 7> seen{};
  for (int i = 0; i < kDraws; ++i) ++seen.at(rng.below(seen.size()));
  for (const int count : seen)
    CHECK(std::abs(count - kDraws / 7.0) < 5.0 * std::sqrt(kDraws / 7.0));
  CHECK(rng.below(1) == 0);
}
