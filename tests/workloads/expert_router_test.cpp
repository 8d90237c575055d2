// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/routed_batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "sim/base/error.hpp"

using namespace reticle;

namespace {

LlmSpec model(std::int64_t experts, std::int64_t top_k, double sigma) {
  LlmSpec llm;
  llm.layers = dense_then_moe(2, 4);
  llm.dense_ffn = 64;
  llm.hidden = 64;
  llm.moe = MoeSpec{.experts = experts, .top_k = top_k, .expert_ffn = 64};
  llm.moe->routing.popularity_sigma = sigma;
  llm.moe->routing.popularity_shape = PopularityShape::LogNormal;
  return llm;
}

constexpr std::int64_t kLayer = 3;
constexpr std::uint64_t kSeed = 11;

std::vector<std::int32_t> route(const ExpertRouter& router, std::size_t top_k,
                                std::uint64_t request, std::int64_t position,
                                std::int64_t layer = kLayer) {
  std::vector<std::int32_t> experts(top_k);
  router.route(RequestId{request}, position, layer, experts);
  return experts;
}

/// How often each expert is the first one drawn.
std::vector<double> first_draws(const ExpertRouter& router, std::size_t experts, std::size_t top_k,
                                int tokens) {
  std::vector<double> count(experts, 0.0);
  for (int t = 0; t < tokens; ++t)
    count[static_cast<std::size_t>(route(router, top_k, 1, t).front())] += 1.0;
  return count;
}

double chi_square(const std::vector<double>& seen, std::span<const double> popularity, int draws) {
  double sum = 0.0;
  for (std::size_t e = 0; e < seen.size(); ++e) {
    const double expected = popularity[e] * draws;
    sum += (seen[e] - expected) * (seen[e] - expected) / expected;
  }
  return sum;
}

/// P(second = b) = sum over a != b of p_a p_b / (1 - p_a).
std::vector<double> second_draw(std::span<const double> p) {
  std::vector<double> probability(p.size(), 0.0);
  for (std::size_t a = 0; a < p.size(); ++a)
    for (std::size_t b = 0; b < p.size(); ++b)
      if (a != b) probability[b] += p[a] * p[b] / (1.0 - p[a]);
  return probability;
}

/// Five standard deviations above the mean of the chi-square distribution.
double chi_square_limit(std::size_t experts) {
  const double freedom = static_cast<double>(experts) - 1.0;
  return freedom + 5.0 * std::sqrt(2.0 * freedom);
}

}  // namespace

TEST_CASE("ExpertRouter: the same token goes the same way, whatever was asked before") {
  const ExpertRouter forward{model(64, 8, 0.64), kSeed};
  const ExpertRouter backward{model(64, 8, 0.64), kSeed};
  std::vector<std::vector<std::int32_t>> first;
  for (std::int64_t p = 0; p < 100; ++p) first.push_back(route(forward, 8, 5, p));
  for (std::int64_t p = 99; p >= 0; --p)
    CHECK(route(backward, 8, 5, p) == first[static_cast<std::size_t>(p)]);
}

TEST_CASE("ExpertRouter: seed, request, position and layer each change the way") {
  const ExpertRouter router{model(64, 8, 0.0), kSeed};
  const ExpertRouter reseeded{model(64, 8, 0.0), kSeed + 1};
  const auto base = route(router, 8, 5, 7);
  CHECK(route(reseeded, 8, 5, 7) != base);
  CHECK(route(router, 8, 6, 7) != base);
  CHECK(route(router, 8, 5, 8) != base);
  CHECK(route(router, 8, 5, 7, kLayer + 1) != base);
  CHECK(route(router, 8, 7, 5) != base);
}

TEST_CASE("ExpertRouter: a token's experts are distinct and exist") {
  for (const std::int64_t experts : {8, 64, 100, 256}) {
    const ExpertRouter router{model(experts, 8, 1.0), kSeed};
    for (std::int64_t p = 0; p < 2000; ++p) {
      const auto picked = route(router, 8, 3, p);
      const std::set<std::int32_t> distinct(picked.begin(), picked.end());
      CHECK(distinct.size() == 8);
      CHECK(*distinct.begin() >= 0);
      CHECK(*distinct.rbegin() < experts);
    }
  }
}

TEST_CASE("ExpertRouter: always ends, even when every expert is wanted and one is near certain") {
  for (const double sigma : {0.0, 5.0}) {
    const ExpertRouter router{model(64, 64, sigma), kSeed};
    for (std::int64_t p = 0; p < 50; ++p) {
      auto picked = route(router, 64, 3, p);
      std::sort(picked.begin(), picked.end());
      std::vector<std::int32_t> all(64);
      std::iota(all.begin(), all.end(), 0);
      CHECK(picked == all);
    }
  }
  const ExpertRouter one{model(1, 1, 0.64), kSeed};
  CHECK(route(one, 1, 0, 0) == std::vector<std::int32_t>{0});
}

TEST_CASE("ExpertRouter: the largest expert count of check() fits") {
  const ExpertRouter router{model(4096, 12, 0.64), kSeed};
  std::int32_t most = 0;
  for (std::int64_t p = 0; p < 2000; ++p)
    for (const std::int32_t e : route(router, 12, 0, p)) most = std::max(most, e);
  CHECK(most > 4000);
  CHECK(most < 4096);
}

TEST_CASE("ExpertRouter: first draws follow the popularity") {
  constexpr int kTokens = 200'000;
  for (const double sigma : {0.0, 0.64}) {
    const ExpertRouter router{model(64, 8, sigma), kSeed};
    const auto seen = first_draws(router, 64, 8, kTokens);
    CHECK(chi_square(seen, router.popularity(kLayer), kTokens) < chi_square_limit(64));
  }
}

TEST_CASE("ExpertRouter: later draws are successive sampling in proportion to popularity") {
  constexpr int kTokens = 300'000;
  const ExpertRouter router{model(5, 2, 0.64), kSeed};
  const auto p = router.popularity(kLayer);
  std::vector<double> seen(5, 0.0);
  for (int t = 0; t < kTokens; ++t)
    seen[static_cast<std::size_t>(route(router, 2, 1, t).back())] += 1.0;
  CHECK(chi_square(seen, second_draw(p), kTokens) < chi_square_limit(5));
}

TEST_CASE("ExpertRouter: draws beyond a near certain expert follow the same law") {
  // This seed gives one expert 99.4 %: drawing until another comes up would take 170 draws, so
  // nearly all second experts come from the exact, slow branch.
  constexpr int kTokens = 300'000;
  const ExpertRouter router{model(4, 3, 4.0), 21};
  const auto p = router.popularity(kLayer);
  REQUIRE(*std::max_element(p.begin(), p.end()) > 0.99);
  std::vector<double> seen(4, 0.0);
  for (int t = 0; t < kTokens; ++t)
    seen[static_cast<std::size_t>(route(router, 3, 1, t)[1])] += 1.0;
  CHECK(chi_square(seen, second_draw(p), kTokens) < chi_square_limit(4));
}

TEST_CASE("ExpertRouter: popularity is uniform without skew, else a lognormal one per layer") {
  const ExpertRouter uniform{model(64, 8, 0.0), kSeed};
  for (const double p : uniform.popularity(kLayer)) CHECK(p == doctest::Approx(1.0 / 64));

  const ExpertRouter skewed{model(4096, 8, 0.64), kSeed};
  const auto p = skewed.popularity(kLayer);
  CHECK(std::accumulate(p.begin(), p.end(), 0.0) == doctest::Approx(1.0));
  double variance = 0.0;
  for (const double x : p) variance += std::pow(x * 4096 - 1.0, 2) / 4096;
  CHECK(std::sqrt(variance) == doctest::Approx(std::sqrt(std::expm1(0.64 * 0.64))).epsilon(0.1));
  CHECK_FALSE(std::ranges::equal(p, skewed.popularity(kLayer + 1)));
}

TEST_CASE("ExpertRouter: distinct experts of a batch meet E(1 - (1 - k/E)^B) without skew") {
  constexpr std::int64_t kExperts = 32;
  constexpr std::int64_t kTopK = 4;
  constexpr int kTrials = 400;
  const ExpertRouter router{model(kExperts, kTopK, 0.0), kSeed};
  for (const int batch : {1, 2, 4, 8, 16, 32, 64}) {
    double sum = 0.0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<std::int32_t> loads(kExperts, 0);
      for (int b = 0; b < batch; ++b)
        router.add_loads(RequestId{static_cast<std::uint64_t>(b)}, trial, 1, kLayer, loads);
      sum += static_cast<double>(kExperts - std::count(loads.begin(), loads.end(), 0));
    }
    const double untouched = std::pow(1.0 - static_cast<double>(kTopK) / kExperts, batch);
    CAPTURE(batch);
    CHECK(sum / kTrials == doctest::Approx(kExperts * (1.0 - untouched)).epsilon(0.02));
  }
}

TEST_CASE("ExpertRouter: skew makes a batch touch fewer experts") {
  const auto touched = [](double sigma) {
    const ExpertRouter router{model(64, 8, sigma), kSeed};
    std::int64_t sum = 0;
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<std::int32_t> loads(64, 0);
      router.add_loads(RequestId{static_cast<std::uint64_t>(trial)}, 0, 16, kLayer, loads);
      sum += 64 - std::count(loads.begin(), loads.end(), 0);
    }
    return sum;
  };
  CHECK(touched(0.64) < touched(0.0));
}

TEST_CASE("ExpertRouter: loads are the routes counted, added to what was there") {
  const ExpertRouter router{model(64, 8, 0.64), kSeed};
  std::vector<std::int32_t> expected(64, 1);
  for (std::int64_t p = 10; p < 60; ++p)
    for (const std::int32_t e : route(router, 8, 9, p)) ++expected[static_cast<std::size_t>(e)];
  std::vector<std::int32_t> loads(64, 1);
  router.add_loads(RequestId{9}, 10, 30, kLayer, loads);
  router.add_loads(RequestId{9}, 40, 20, kLayer, loads);
  router.add_loads(RequestId{9}, 60, 0, kLayer, loads);
  CHECK(loads == expected);
}

TEST_CASE("RoutedBatch: a token goes the same way beside any others, in any order") {
  LlmSpec llm = model(128, 6, 0);
  for (const auto preset : {RoutingPresetName::Uniform, RoutingPresetName::Typical}) {
    llm.moe->routing = routing_of(preset);
    const ExpertRouter router{llm, kSeed};
    RoutedBatch batch{router}, turned{router};
    std::vector<std::pair<std::uint64_t, std::int64_t>> tokens;
    batch.add(RequestId{99}, 0, 5);
    batch.clear();
    for (std::uint64_t request = 0; request < 9; ++request) {
      const auto first = static_cast<std::int64_t>(3 * request), count = 60 - 2 * first;
      batch.add(RequestId{request}, first, count);
      for (std::int64_t p = first; p < first + count; ++p) tokens.emplace_back(request, p);
    }
    for (auto t = tokens.rbegin(); t != tokens.rend(); ++t)
      turned.add(RequestId{t->first}, t->second, 1);
    for (const std::int64_t layer : {5, 2}) {
      const auto picks = batch.route(layer), backward = turned.route(layer);
      REQUIRE(picks.size() == 6 * tokens.size());
      REQUIRE(backward.size() == picks.size());
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        const auto alone = route(router, 6, tokens[t].first, tokens[t].second, layer);
        CHECK(std::ranges::equal(picks.subspan(6 * t, 6), alone));
        CHECK(std::ranges::equal(backward.subspan(6 * (tokens.size() - 1 - t), 6), alone));
      }
    }
  }
}

TEST_CASE("ExpertRouter: dense layers and wrong sizes are our mistakes") {
  const ExpertRouter router{model(64, 8, 0.0), kSeed};
  std::vector<std::int32_t> eight(8);
  std::vector<std::int32_t> seven(7);
  CHECK_THROWS_AS(router.route(RequestId{}, 0, 1, eight), InvariantError);
  CHECK_THROWS_AS(router.route(RequestId{}, 0, 6, eight), InvariantError);
  CHECK_THROWS_AS(router.route(RequestId{}, 0, kLayer, seven), InvariantError);
  CHECK_THROWS_AS(router.add_loads(RequestId{}, 0, 1, kLayer, eight), InvariantError);
  CHECK_THROWS_AS((ExpertRouter{LlmSpec{}, kSeed}), InvariantError);
}
