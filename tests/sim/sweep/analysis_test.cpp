// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/analysis.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "sim/base/rng.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/sweep/sobol_sequence.hpp"

using namespace reticle;

namespace {
constexpr double kA = 7, kB = 0.1;
constexpr double kPi = std::numbers::pi;

/// [Ishigami+ 1990], over [-pi, pi]^3.
double ishigami(const std::vector<double>& u) {
  const auto x = [&](std::size_t i) { return kPi * (2 * u[i] - 1); };
  return std::sin(x(0)) + kA * std::pow(std::sin(x(1)), 2) +
         kB * std::pow(x(2), 4) * std::sin(x(0));
}
}  // namespace

TEST_CASE("sensitivity: the indices of Ishigami's function are its closed form") {
  const double first_part = 0.5 * std::pow(1 + kB * std::pow(kPi, 4) / 5, 2);
  const double second_part = kA * kA / 8;
  const double together = kB * kB * std::pow(kPi, 8) * (1.0 / 18 - 1.0 / 50);
  const double all = first_part + second_part + together;

  constexpr std::uint64_t kRows = 4096;
  const SobolSequence sequence{6};
  std::vector<double> a, b;
  std::vector<std::vector<double>> mixed(3);
  for (std::uint64_t row = 0; row < kRows; ++row) {
    const auto both = sequence.point(row);
    const std::vector<double> in_a(both.begin(), both.begin() + 3),
        in_b(both.begin() + 3, both.end());
    a.push_back(ishigami(in_a));
    b.push_back(ishigami(in_b));
    for (std::size_t i = 0; i < 3; ++i) {
      auto of_both = in_a;
      of_both[i] = in_b[i];
      mixed[i].push_back(ishigami(of_both));
    }
  }
  const auto indices = sobol_indices(a, b, mixed);
  REQUIRE(indices.has_value());
  const auto near = [](double got, double expected) { return std::abs(got - expected) < 0.01; };
  CHECK(near(indices->first[0], first_part / all));
  CHECK(near(indices->first[1], second_part / all));
  CHECK(near(indices->first[2], 0));
  CHECK(near(indices->total[0], (first_part + together) / all));
  CHECK(near(indices->total[1], second_part / all));
  CHECK(near(indices->total[2], together / all));
}

TEST_CASE("sensitivity: intervals cover the true index, and few rows give none") {
  // a sum of two inputs: each explains half
  const SobolSequence sequence{4};
  const auto indices_with = [&](std::uint64_t rows) {
    std::vector<double> a, b;
    std::vector<std::vector<double>> mixed(2);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const auto p = sequence.point(row);
      a.push_back(p[0] + p[1]);
      b.push_back(p[2] + p[3]);
      mixed[0].push_back(p[2] + p[1]);
      mixed[1].push_back(p[0] + p[3]);
    }
    return sobol_indices(a, b, mixed);
  };
  CHECK(!indices_with(8));
  double before = 1e9;
  for (const std::uint64_t rows : {16, 64, 256, 1024}) {
    const auto indices = indices_with(rows);
    REQUIRE(indices.has_value());
    for (const std::size_t k : {0, 1}) {
      CHECK(std::abs(indices->first[k] - 0.5) <= indices->first_margin[k]);
      CHECK(std::abs(indices->total[k] - 0.5) <= indices->total_margin[k]);
    }
    CHECK(indices->total_margin[0] < before);  // more rows, narrower
    before = indices->total_margin[0];
  }
}

TEST_CASE("sensitivity: of a sum on a full grid each axis explains its own variance") {
  std::vector<std::size_t> at_x, at_y;
  std::vector<double> figure;
  for (std::size_t x = 0; x < 5; ++x)
    for (std::size_t y = 0; y < 3; ++y) {
      at_x.push_back(x);
      at_y.push_back(y);
      figure.push_back(2.0 * double(x) + 3.0 * double(y));
    }
  const double of_x = 4.0 * 2.0, of_y = 9.0 * 2.0 / 3.0;  // variances of 0..4 and 0..2, scaled
  CHECK(std::abs(*explained_by(at_x, figure) - of_x / (of_x + of_y)) < 1e-12);
  CHECK(std::abs(*explained_by(at_y, figure) - of_y / (of_x + of_y)) < 1e-12);
}

TEST_CASE("sensitivity: what does not vary has no indices") {
  CHECK(!sobol_indices({1, 1}, {1, 1}, {{1, 1}}));
  CHECK(!explained_by({0, 1}, {4, 4}));
}

TEST_CASE("knee: a saturating curve bends where it saturates, a straight line does not") {
  std::vector<double> x, roof, straight;
  for (int i = 0; i <= 10; ++i) {
    x.push_back(i);
    roof.push_back(std::min(i, 4));
    straight.push_back(3.0 * i + 1);
  }
  CHECK(knee_of(x, roof) == std::size_t{4});
  CHECK(!knee_of(x, straight));
}

TEST_CASE("pareto: nothing on the front is beaten, and what is not on it is") {
  RngStream rng{3, "front"};
  std::vector<PointResult> results;
  for (int i = 0; i < 300; ++i)
    results.push_back({i % 7 != 0, {rng.uniform(), rng.uniform(), std::floor(4 * rng.uniform())}});
  const auto beats = [&](std::size_t i, std::size_t j) {
    bool better = false;
    for (std::size_t o = 0; o < 3; ++o) {
      if (results[i].objectives[o] < results[j].objectives[o]) return false;
      better |= results[i].objectives[o] > results[j].objectives[o];
    }
    return better;
  };
  const auto front = pareto_front(results);
  for (std::size_t j = 0; j < results.size(); ++j) {
    bool beaten = !results[j].usable;
    for (std::size_t i = 0; i < results.size(); ++i) beaten |= results[i].usable && beats(i, j);
    CHECK(beaten == (std::ranges::find(front, j) == front.end()));
  }
}

TEST_CASE("report: a page holds its data, and no text of a point can end its script") {
  const SweepSpec sweep = parse_sweep(
      "sweep: s\nrun: {platform: p, llm: l, workload: w}\naxes:\n  - {key: a.b, values: [1, 2]}\n",
      "s.yaml");
  StoredPoint point;
  point.point = {{"1"}, "transaction", "", 0};
  point.inputs = R"({"a.b":"1"})";
  point.answer = {.status = PointStatus::Crashed, .reason = "</script><b>,\"x\""};
  const auto json = analysis_json(sweep, {point}, analyse(sweep, {point}), {});
  const auto page = analysis_page(json, "<T>");
  CHECK(page.find("</script><b>") == std::string::npos);
  CHECK(page.find("<title>&lt;T>") != std::string::npos);
  CHECK(page.find("http://www.w3.org/2000/svg") != std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK(points_csv(sweep, {point}).find("\"</script><b>,\"\"x\"\"\"") != std::string::npos);
}
