// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/design.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sim/config/read_sweep.hpp"

using namespace reticle;

namespace {
SweepSpec with(const std::string& rest) {
  return parse_sweep("sweep: s\nrun: {platform: p, llm: l, workload: w}\n" + rest, "s.yaml");
}

/// Until the design is complete, each point's objectives by `figure`.
template <class Figure>
std::vector<DesignPoint> complete(const SweepSpec& sweep, Figure figure) {
  std::vector<DesignPoint> done;
  std::vector<PointResult> results;
  while (true) {
    const auto batch = next_points(sweep, done, results);
    if (batch.empty()) return done;
    for (const DesignPoint& point : batch) {
      done.push_back(point);
      results.push_back({true, figure(point)});
    }
  }
}
double number(const DesignPoint& p, std::size_t column) { return std::stod(*p.values[column]); }
const auto kNothing = [](const DesignPoint&) { return std::vector<double>{0}; };
}  // namespace

TEST_CASE("design: a grid has every combination once, corners first") {
  const auto points = complete(with("axes:\n"
                                    "  - {key: a.a, range: {from: 0, to: 8, steps: 9}}\n"
                                    "  - {key: a.b, values: [x, y, z]}\n"),
                               kNothing);
  std::set<std::vector<std::optional<std::string>>> seen;
  for (const auto& p : points) seen.insert(p.values);
  CHECK(points.size() == 27);
  CHECK(seen.size() == 27);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK((points[i].values[0] == "0" || points[i].values[0] == "8"));
    CHECK((points[i].values[1] == "x" || points[i].values[1] == "z"));
  }
  // After a third of the points no value of the long axis is further than 2 from one that was met.
  std::set<double> met;
  for (std::size_t i = 0; i < 15; ++i) met.insert(number(points[i], 0));
  for (const double v : {0, 2, 4, 6, 8}) CHECK(met.contains(v));
}

TEST_CASE("design: zipped keys change together, and an axis that does not apply adds no points") {
  const auto points = complete(with("axes:\n"
                                    "  - zip:\n"
                                    "      - {key: platform, values: [p, q]}\n"
                                    "      - {key: a.nodes, values: [1, 2]}\n"
                                    "  - {key: a.c, values: [1, 2, 3], when: platform == 'q'}\n"),
                               kNothing);
  CHECK(points.size() == 4);
  for (const auto& p : points) {
    CHECK((p.values[0] == "p") == (p.values[1] == "1"));
    CHECK(p.values[2].has_value() == (p.values[0] == "q"));
  }
}

TEST_CASE("design: a Latin hypercube has one point in every layer of every axis") {
  const SweepSpec sweep = with(
      "axes:\n"
      "  - {key: a.a, range: {from: 0, to: 1, steps: 2}}\n"
      "  - {key: a.b, log: {from: 1, to: 1024, steps: 2}}\n"
      "design: {kind: latin-hypercube, points: 50, seed: 5}\n");
  const auto points = complete(sweep, kNothing);
  std::set<int> of_a, of_b;
  for (const auto& p : points) {
    of_a.insert(static_cast<int>(number(p, 0) * 50));
    of_b.insert(static_cast<int>(std::log2(number(p, 1)) * 5));
  }
  CHECK(of_a.size() == 50);
  CHECK(of_b.size() == 50);
  CHECK(points == complete(sweep, kNothing));
}

TEST_CASE("design: halving simulates the best rooflines, as many as it keeps") {
  const auto points =
      complete(with("axes:\n  - {key: a.a, range: {from: 1, to: 20, steps: 20}}\n"
                    "halving: {keep: 3}\n"),
               [](const DesignPoint& p) { return std::vector{-std::abs(number(p, 0) - 7)}; });
  REQUIRE(points.size() == 23);
  std::set<double> best;
  for (std::size_t i = 0; i < 20; ++i) CHECK(points[i].fidelity == "roofline");
  for (std::size_t i = 20; i < 23; ++i) {
    CHECK(points[i].fidelity == "transaction");
    best.insert(number(points[i], 0));
  }
  CHECK(best == std::set<double>{6, 7, 8});
}

TEST_CASE("design: a search within a budget finds a front that a hypercube of the budget misses") {
  const std::string axes =
      "axes:\n"
      "  - {key: a.a, range: {from: 0, to: 39, steps: 40}}\n"
      "  - {key: a.b, range: {from: 0, to: 39, steps: 40}}\n"
      "objectives: [more dies, more packages]\n";
  // The front is where b is 20: 40 of 1,600 points.
  const auto figure = [](const DesignPoint& p) {
    const double off = std::abs(number(p, 1) - 20);
    return std::vector{number(p, 0) - 10 * off, -number(p, 0) - 10 * off};
  };
  const auto on_front = [](const std::vector<DesignPoint>& points) {
    return std::ranges::count_if(points, [](const DesignPoint& p) { return p.values[1] == "20"; });
  };
  const SweepSpec search = with(axes + "design: {kind: pareto, points: 200, seed: 1}\n");
  const auto found = complete(search, figure);
  CHECK(found.size() == 200);
  CHECK(on_front(found) >= 30);
  CHECK(on_front(complete(with(axes + "design: {kind: latin-hypercube, points: 200, seed: 1}\n"),
                          figure)) < 30);
  CHECK(found == complete(search, figure));
  std::set<std::vector<std::optional<std::string>>> seen;
  for (const auto& p : found) seen.insert(p.values);
  CHECK(seen.size() == 200);
}

TEST_CASE("design: a search whose budget is the grid ends with all of it") {
  const auto points = complete(with("axes:\n  - {key: a.a, range: {from: 0, to: 6, steps: 7}}\n"
                                    "  - {key: a.b, range: {from: 0, to: 6, steps: 7}}\n"
                                    "design: {kind: pareto, points: 500}\n"),
                               kNothing);
  CHECK(points.size() == 49);
}

TEST_CASE("design: rows of Saltelli's matrices differ from A in one axis, which is B's") {
  const auto points = complete(with("axes:\n  - {key: a.a, range: {from: 0, to: 1, steps: 2}}\n"
                                    "  - {key: a.b, range: {from: 0, to: 1, steps: 2}}\n"
                                    "design: {kind: saltelli, points: 8}\n"),
                               kNothing);
  REQUIRE(points.size() == 8 * 4);
  for (std::size_t row = 0; row < 8; ++row) {
    const auto& a = points[4 * row].values;
    const auto& b = points[4 * row + 1].values;
    CHECK(points[4 * row + 2].values == std::vector{b[0], a[1]});
    CHECK(points[4 * row + 3].values == std::vector{a[0], b[1]});
  }
}
