// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/uncertainty.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "sim/metrics/report.hpp"
#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;

namespace {
constexpr std::size_t kSamples = 1000;
constexpr auto kPrice = "platform.cost.node_price_usd";
constexpr auto kElectricity = "platform.cost.electricity_usd_per_kwh";

ResolvedValue constant(const std::string& path, double value, double low, double high) {
  ResolvedValue v{path, std::to_string(value), "a.yaml:1:1", "s", "estimate", std::nullopt};
  v.range = {low, high};
  return v;
}

/// The example run as the batch-64 cell of a platform whose constants have these ranges.
struct Example {
  explicit Example(const std::vector<ResolvedValue>& constants) {
    PlatformRow row;
    row.name = "example";
    PricedCell cell;
    cell.spec = example_spec();
    cell.report = report_json(cell.spec, example_result(), {}, {"1", "r"}, 0);
    for (const auto& c : constants) cell.spec.resolved.push_back(c);
    row.cells[1] = read_cell(cell.report);
    comparison.rows = {row};
    cells.emplace_back();
    cells[0][1] = std::move(cell);
  }
  [[nodiscard]] UncertainFigure figure(const std::string& name) const {
    Comparison with = comparison;
    add_uncertainty(with, cells, kSamples, 7);
    const auto& figures = with.uncertainty->figures;
    const auto found = std::ranges::find(figures, name, &UncertainFigure::figure);
    REQUIRE(found != figures.end());
    return *found;
  }
  Comparison comparison;
  std::vector<PricedCells> cells;
};
}  // namespace

TEST_CASE(
    "latin_hypercube_column: one sample in each part, the same for the same seed and purpose") {
  std::vector<double> column = latin_hypercube_column(100, 1, "a");
  CHECK(column == latin_hypercube_column(100, 1, "a"));
  CHECK(column != latin_hypercube_column(100, 2, "a"));
  CHECK(column != latin_hypercube_column(100, 1, "b"));
  CHECK(!std::ranges::is_sorted(column));
  std::ranges::sort(column);
  for (std::size_t i = 0; i < column.size(); ++i)
    CHECK(static_cast<std::size_t>(column[i] * 100) == i);
}

TEST_CASE("triangular: ends, the share below the mode, and a width of zero") {
  CHECK(triangular(0, 2, 3, 6) == 2);
  CHECK(triangular(1, 2, 3, 6) == 6);
  CHECK(triangular(0.25, 2, 3, 6) == doctest::Approx(3));  // (mode - low) / (high - low) below it
  CHECK(triangular(0.7, 4, 4, 4) == 4);
  CHECK(triangular(0, 2, 9, 6) == 2);  // a mode outside is moved to the end
  CHECK(triangular(1, 2, 9, 6) == 6);
}

TEST_CASE("uncertainty_of: ranges of no width give figures of no width") {
  const PlatformSpec p = example_spec().platform;
  const double price = p.cost.node_price_usd, electricity = p.cost.electricity_usd_per_kwh;
  const Example example{{constant(kPrice, price, price, price),
                         constant(kElectricity, electricity, electricity, electricity)}};
  const UncertainFigure cost = example.figure("cost_batch64");
  CHECK(cost.nominal == *example.comparison.rows[0].cells[1]->usd_per_m_tokens);
  CHECK(cost.quantiles.p5 == doctest::Approx(cost.nominal).epsilon(1e-12));
  CHECK(cost.quantiles.p95 == doctest::Approx(cost.nominal).epsilon(1e-12));
}

TEST_CASE("uncertainty_of: a single price has the quantiles of its distribution, in closed form") {
  const double price = example_spec().platform.cost.node_price_usd;
  const Example example{{constant(kPrice, price, price / 2, price * 2)}};
  const UncertainFigure cost = example.figure("cost_batch64");
  REQUIRE(cost.tornado.size() == 1);
  CHECK(cost.tornado[0].path == kPrice);
  // Cost is linear in the price: capital from half of it to twice.
  const double capital = (cost.tornado[0].at_high - cost.tornado[0].at_low) / 1.5;
  CHECK(cost.tornado[0].at_low == doctest::Approx(cost.nominal - capital / 2).epsilon(1e-9));
  const auto expected = [&](double u) {
    return cost.nominal + capital * (triangular(u, 0.5, 1, 2) - 1);
  };
  // A sample lies anywhere in its thousandth.
  CHECK(cost.quantiles.p5 >= expected(0.049));
  CHECK(cost.quantiles.p5 <= expected(0.050));
  CHECK(cost.quantiles.p50 >= expected(0.499));
  CHECK(cost.quantiles.p50 <= expected(0.500));
  CHECK(cost.quantiles.p95 >= expected(0.949));
  CHECK(cost.quantiles.p95 <= expected(0.950));
}

TEST_CASE("uncertainty_of: energy does not hang on money, and the widest bar comes first") {
  const PlatformSpec p = example_spec().platform;
  const Example example{{constant(kPrice, p.cost.node_price_usd, 1, 1e6),
                         constant("platform.energy.vector_pj", p.energy.vector_pj, 0.1, 9),
                         constant("platform.energy.die_static_w", p.energy.die_static_w, 10, 600)}};
  const UncertainFigure energy = example.figure("energy_batch64");
  REQUIRE(energy.tornado.size() == 2);
  const auto width = [](const TornadoBar& b) { return std::abs(b.at_high - b.at_low); };
  CHECK(width(energy.tornado[0]) >= width(energy.tornado[1]));
  CHECK(energy.quantiles.p5 < energy.nominal);
  CHECK(energy.quantiles.p95 > energy.nominal);
}

TEST_CASE("uncertainty_of: a verdict that flips within the range is said") {
  const double price = example_spec().platform.cost.node_price_usd;
  Example example{{constant(kPrice, price, price / 4, price * 4)}};
  const double nominal = *example.comparison.rows[0].cells[1]->usd_per_m_tokens;
  TableCell cell;
  cell.figure = "cost_batch64";
  cell.column = "asic";
  cell.platform = "example";
  cell.ours = nominal;
  const auto flips = [&](double low, double high) {
    cell.stated = ClaimRange{low, high, ""};
    cell.verdict = verdict_of(nominal, cell.stated);
    example.comparison.table2 = {cell};
    add_uncertainty(example.comparison, example.cells, kSamples, 7);
    return example.comparison.uncertainty->flips.size();
  };
  CHECK(flips(nominal * 0.95, nominal * 1.05) == 1);
  CHECK(flips(nominal * 0.01, nominal * 100) == 0);
  CHECK(flips(nominal * 100, nominal * 200) == 0);
  // The table has the range of its own figure.
  const UncertainFigure cost = example.figure("cost_batch64");
  REQUIRE(example.comparison.table2[0].ours_between);
  CHECK(example.comparison.table2[0].ours_between->p5 == cost.quantiles.p5);
  CHECK(example.comparison.table2[0].ours_between->p95 == cost.quantiles.p95);
}
