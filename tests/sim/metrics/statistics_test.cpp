// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/statistics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
/// The definition itself: the least value with at least percent % of all values at or below it.
double brute_force(const std::vector<double>& values, int percent) {
  double best = std::numeric_limits<double>::infinity();
  for (const double candidate : values) {
    const auto below = std::ranges::count_if(values, [&](double v) { return v <= candidate; });
    if (100 * below >= percent * std::ssize(values)) best = std::min(best, candidate);
  }
  return best;
}
}  // namespace

TEST_CASE("percentile: nearest rank, against its definition") {
  RngStream rng{1, "percentile"};
  for (std::size_t n = 1; n <= 203; ++n) {
    std::vector<double> values(n);
    for (double& v : values) v = static_cast<double>(rng.below(50));  // with ties
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    for (const int percent : {1, 50, 95, 99, 100})
      CHECK(percentile(sorted, percent) == brute_force(values, percent));
  }
}

TEST_CASE("percentile: of nothing, or beyond 100 %, breaks an invariant") {
  const std::vector<double> one{1};
  CHECK_THROWS_AS(percentile({}, 50), InvariantError);
  CHECK_THROWS_AS(percentile(one, 0), InvariantError);
  CHECK_THROWS_AS(percentile(one, 101), InvariantError);
}

TEST_CASE("distribution: does not depend on the order of its values") {
  std::vector<double> values{0.1, 1e9, 0.3, 7, 0.1, 1e-9};
  const auto forward = distribution(values);
  std::ranges::reverse(values);
  const auto backward = distribution(values);
  CHECK(forward->mean == backward->mean);
  CHECK(forward->p95 == backward->p95);
  CHECK(forward->count == 6);
  CHECK_FALSE(distribution(std::vector<double>{}));
}

TEST_CASE("latencies: each over the requests that came that far") {
  const RunResult result = example_result();
  const Latencies l = latencies(result);
  CHECK(l.ttft_ms->count == 2);
  CHECK(l.ttft_ms->mean == doctest::Approx((2.0 + 3.0) / 2));
  CHECK(l.tpot_ms->count == 1);
  CHECK(l.tpot_ms->mean == doctest::Approx((7.0 - 3.0) / (5 - 1)));
  CHECK(l.e2e_ms->count == 1);
  CHECK(l.e2e_ms->p99 == doctest::Approx(6.0));
}

TEST_CASE("distribution: of counted durations is that of the durations one by one") {
  RngStream rng{5, "gaps"};
  for (int trial = 0; trial < 100; ++trial) {
    DurationCounts counts;
    std::vector<double> values;
    for (std::uint64_t n = 1 + rng.below(200); n > 0; --n) {
      const Picoseconds gap{1'000'000'000 * static_cast<std::int64_t>(1 + rng.below(20))};
      counts.add(gap);
      values.push_back(seconds(gap) * 1e3);
    }
    const auto counted = distribution(counts), listed = distribution(values);
    CHECK(counted->count == listed->count);
    CHECK(counted->mean == doctest::Approx(listed->mean));
    CHECK(counted->p50 == doctest::Approx(listed->p50));
    CHECK(counted->p95 == doctest::Approx(listed->p95));
    CHECK(counted->p99 == doctest::Approx(listed->p99));
  }
  CHECK_FALSE(distribution(DurationCounts{}));
}

TEST_CASE("goodput: who kept both limits, of all who came") {
  // Of the example's four, request 0 finished: 2 ms to its first token, 1 ms a token, five tokens.
  const RunResult result = example_result();
  const auto with = [&](std::optional<Picoseconds> ttft, std::optional<Picoseconds> tpot) {
    ServingSpec serving;
    serving.ttft_limit = ttft;
    serving.tpot_limit = tpot;
    return goodput(serving, result.requests);
  };
  CHECK_FALSE(with(std::nullopt, std::nullopt).has_value());
  const auto good = with(2_ms, 1_ms);
  CHECK(good->requests == 1);
  CHECK(good->output_tokens == 5);
  CHECK(good->share == doctest::Approx(0.25));
  CHECK(with(1999_us, std::nullopt)->requests == 0);
  CHECK(with(std::nullopt, 999_us)->requests == 0);
  // A request of one token has no time per token to miss.
  const RunResult one = steady_result(1);
  ServingSpec strict;
  strict.tpot_limit = 1_ps;
  CHECK(goodput(strict, one.requests)->requests == 1);
}

TEST_CASE("latencies: one token has no time per output token, no request has no latency") {
  const RunResult one = steady_result(1);
  CHECK_FALSE(tpot_picoseconds(one.requests.front()));
  CHECK_FALSE(latencies(one).tpot_ms);
  CHECK_FALSE(latencies({}).ttft_ms);
}

TEST_CASE("apportion: shares sum to the total and are off by less than one") {
  RngStream rng{2, "apportion"};
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> parts(1 + rng.below(12));
    for (double& part : parts) part = rng.uniform() < 0.2 ? 0 : rng.lognormal(0, 5);
    parts.front() += 1e-3;
    const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
    const auto shares = apportion(parts, 1000);
    CHECK(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}) == 1000);
    for (std::size_t i = 0; i < parts.size(); ++i)
      CHECK(std::abs(static_cast<double>(shares[i]) - parts[i] / sum * 1000) < 1 + 1e-9);
  }
}

TEST_CASE("apportion: ties go to the earlier part, nothing to share gives zeros") {
  CHECK(apportion(std::vector<double>{1, 1, 1}, 1000) == std::vector<std::int64_t>{334, 333, 333});
  CHECK(apportion(std::vector<double>{0, 0}, 1000) == std::vector<std::int64_t>{0, 0});
  CHECK(apportion({}, 1000).empty());
  CHECK_THROWS_AS(apportion(std::vector<double>{1, -1, 5}, 10), InvariantError);
  CHECK_THROWS_AS(apportion(std::vector<double>{std::numeric_limits<double>::infinity()}, 10),
                  InvariantError);
}
