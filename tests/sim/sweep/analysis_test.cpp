// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/analysis.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "sim/base/rng.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/sweep/best_points.hpp"
#include "sim/sweep/point_values.hpp"
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
  CHECK(points_csv(sweep, {point}, {}).find("\"</script><b>,\"\"x\"\"\"") != std::string::npos);
}

namespace {
using Json = nlohmann::ordered_json;
using Values = std::vector<std::optional<std::string>>;

SweepSpec sweep_with(const std::string& rest) {
  return parse_sweep("sweep: s\nrun: {platform: p, llm: l, workload: w}\n" + rest, "s.yaml");
}

/// A point that ran, with these outputs.
StoredPoint ran(const SweepSpec& sweep, std::int64_t id, Values values, Json outputs,
                const std::string& fidelity = "transaction") {
  StoredPoint point;
  point.id = id;
  point.point = {std::move(values), fidelity, "", 0};
  point.inputs = inputs_json(sweep, point.point);
  if (!outputs.contains("broken")) outputs["broken"] = Json::array();
  point.answer = {
      .status = PointStatus::Ok, .digest = std::to_string(id), .outputs = outputs.dump()};
  return point;
}

/// Some sentence has all of the parts.
bool says(const std::vector<std::string>& sentences, const std::vector<std::string>& parts) {
  return std::ranges::any_of(sentences, [&](const std::string& sentence) {
    return std::ranges::all_of(
        parts, [&](const std::string& p) { return sentence.find(p) != std::string::npos; });
  });
}
}  // namespace

TEST_CASE("front: a point beyond a limit of the hardware is not on it, unless the file allows it") {
  const std::string axis = "axes:\n  - {key: a.b, values: [1, 2, 3]}\n";
  const auto points_of = [](const SweepSpec& sweep) {
    return std::vector{
        ran(sweep, 0, {"1"}, {{"throughput", 10}}),
        ran(sweep, 1, {"2"}, {{"throughput", 30}, {"broken", {"power"}}}),
        ran(sweep, 2, {"3"}, {{"throughput", 20}, {"broken", {"rejected"}}, {"rejected", 7}})};
  };
  const SweepSpec strict = sweep_with(axis);
  const SweepAnalysis found = analyse(strict, points_of(strict));
  CHECK(found.front == std::vector<std::int64_t>{0});
  CHECK(says(found.notes, {"1 of 3 points", "more power", "in no front", "allow: [power]"}));
  CHECK(says(found.notes, {"1 of 3 points", "rejected requests"}));
  const SweepSpec lax = sweep_with(axis + "allow: [power]\n");
  const SweepAnalysis allowed = analyse(lax, points_of(lax));
  CHECK(allowed.front == std::vector<std::int64_t>{1});
  CHECK(says(allowed.notes, {"more power", "file allows it"}));
  const SweepSpec limited = sweep_with(axis + "allow: [power, rejected]\nlimits: [rejected < 5]\n");
  const auto points = points_of(limited);
  CHECK(result_of(limited, points[2].point, points[2].answer).within_limits == false);

  const std::string csv = points_csv(strict, points_of(strict), {"s", "", "", "1.2.3", "abc"});
  for (const char* part : {",within_limits,", ",broken,", ",power,", ",rejected,", "1.2.3,abc"})
    CHECK_MESSAGE(csv.find(part) != std::string::npos, part);
  const Json json =
      Json::parse(analysis_json(strict, points_of(strict), found, {"s", "", "", "1", "r"}));
  CHECK(json["points"][0]["candidate"] == true);
  CHECK(json["points"][1]["candidate"] == false);
  CHECK(json["points"][1]["within_limits"] == true);
  CHECK(json["points"][1]["broken"] == Json{"power"});
}

TEST_CASE("halving: what rooflines say of power chooses nothing, and no survivor is said") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - {key: a.b, values: [1, 2]}\nhalving: {keep: 1}\nlimits: [throughput > 5]\n");
  const auto roofline = [&](std::int64_t id, double throughput) {
    return ran(sweep, id, {std::to_string(id + 1)},
               {{"throughput", throughput}, {"broken", {"power"}}}, "roofline");
  };
  const StoredPoint fast = roofline(0, 10);
  CHECK(result_of(sweep, fast.point, fast.answer).usable);
  const std::vector<StoredPoint> slow{roofline(0, 1), roofline(1, 2)};
  const SweepAnalysis found = analyse(sweep, slow);
  CHECK(found.front.empty());
  CHECK(says(found.notes, {"Halving kept no point", "2 rooflines"}));
  CHECK(says(found.notes, {"None of the 2 points that ran keeps the limits"}));
}

TEST_CASE("sensitivity: an axis that applies to some points explains nothing by applying") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - {key: a.spill, values: ['off', far]}\n"
      "  - {key: a.prefetch, values: ['true', 'false'], when: \"a.spill == 'far'\"}\n");
  const std::vector<StoredPoint> points{ran(sweep, 0, {"off", std::nullopt}, {{"throughput", 1}}),
                                        ran(sweep, 1, {"far", "true"}, {{"throughput", 3}}),
                                        ran(sweep, 2, {"far", "false"}, {{"throughput", 3}})};
  const SweepAnalysis found = analyse(sweep, points);
  const auto& axes = found.sensitivity[0].axes;
  CHECK(std::abs(axes[0].first.value() - 1) < 1e-12);
  CHECK(!axes[0].applies_to);
  CHECK(!axes[1].first);  // true and false are the same
  CHECK(axes[1].applies_to == 2);
  CHECK(says(found.notes, {"a.prefetch", "2 points where it applies", "a.spill == 'far'"}));
}

TEST_CASE("sensitivity: limits of the sweep leave no row of the matrices out") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - {key: a.b, range: {from: 0, to: 1, steps: 2}}\nlimits: [throughput < 0.5]\n"
      "design: {kind: saltelli, points: 32}\n");
  std::vector<StoredPoint> points;
  for (const DesignPoint& p : next_points(sweep, {}, {})) {
    StoredPoint stored =
        ran(sweep, std::ssize(points), p.values, {{"throughput", std::stod(*p.values[0])}});
    stored.point = p;
    points.push_back(stored);
  }
  CHECK(analyse(sweep, points).sensitivity[0].rows == 32);
}

TEST_CASE("report: values with units are placed by what they count") {
  const SweepSpec sweep = sweep_with("axes:\n  - {key: a.b, values: [512 MB, 1 GB, 1.5 GB]}\n");
  const std::vector<StoredPoint> points{ran(sweep, 0, {"512 MB"}, {{"throughput", 1}}),
                                        ran(sweep, 1, {"1 GB"}, {{"throughput", 5}}),
                                        ran(sweep, 2, {"1.5 GB"}, {{"throughput", 5.1}})};
  const Json json = Json::parse(analysis_json(sweep, points, analyse(sweep, points), {}));
  const Json& axis = json["axes"][0];
  CHECK(axis["numeric"] == true);
  CHECK(axis["numbers"]["512 MB"] == 512e6);
  CHECK(axis["numbers"]["1 GB"] == 1e9);
  CHECK(axis["numbers"]["1.5 GB"] == 1.5e9);
  CHECK(says(analyse(sweep, points).knees,
             {"bends at a.b 1 GB", "1 tokens/s at 512 MB", "5.1 tokens/s at 1.5 GB"}));
}

TEST_CASE("report: keys that change together are one axis, with its bend and its crossing") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - zip:\n      - {variable: class, values: [few, more, most]}\n"
      "      - {key: a.dies, values: [1, 2, 8]}\n");
  const auto point = [&](std::int64_t id, const char* name, const char* dies, double speed,
                         const char* limit) {
    return ran(sweep, id, {name, dies},
               {{"throughput", speed}, {"limited_by", limit}, {"plan", "x"}});
  };
  const std::vector<StoredPoint> points{point(0, "few", "1", 1, "hbm"),
                                        point(1, "more", "2", 4, "hbm"),
                                        point(2, "most", "8", 5, "fabric")};
  const SweepAnalysis found = analyse(sweep, points);
  CHECK(says(found.knees, {"bends at a.dies 2"}));
  CHECK(says(found.knees, {"Between a.dies 2 and 8", "from hbm to fabric"}));
  const Json axes = Json::parse(analysis_json(sweep, points, found, {}))["axes"];
  CHECK(axes[0]["axis"] == axes[1]["axis"]);
}

TEST_CASE("report: of keys that change together none need be told apart by one of them alone") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - zip:\n      - {key: a.dies, values: [12, 12, 28]}\n"
      "      - {key: a.cut, values: [4, 8, 8]}\n");
  const std::vector<StoredPoint> points{ran(sweep, 0, {"12", "4"}, {{"throughput", 1}}),
                                        ran(sweep, 1, {"12", "8"}, {{"throughput", 3}}),
                                        ran(sweep, 2, {"28", "8"}, {{"throughput", 5}})};
  const SweepAnalysis found = analyse(sweep, points);
  CHECK(std::abs(found.sensitivity[0].axes[0].first.value() - 1) < 1e-12);  // it is all there is
  CHECK(!says(found.knees, {"bends"}));  // two points at 12 dies are no curve
}

TEST_CASE("report: it names the best point of every objective, and counts what breaks each limit") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - {key: a.batch, values: [1, 2, 4, 8, 16]}\n"
      "objectives: [throughput, usd_per_m_tokens]\nlimits: [tpot <= 50 ms, power <= 25 kW]\n");
  const auto point = [&](std::int64_t id, const char* batch, double speed, double usd, double tpot,
                         double power) {
    return ran(
        sweep, id, {batch},
        {{"throughput", speed}, {"usd_per_m_tokens", usd}, {"tpot", tpot}, {"power", power}});
  };
  const std::vector<StoredPoint> points{
      point(0, "1", 1000, 4, 10, 10e3), point(1, "2", 22044.4, 3, 20, 10e3),
      point(2, "4", 22044.4, 2, 49, 25e3), point(3, "8", 40e3, 1, 51, 24e3),
      point(4, "16", 50e3, 0.5, 60, 26e3)};
  const SweepAnalysis found = analyse(sweep, points);
  REQUIRE(found.best.size() == 2);
  // Of two as fast the cheaper one.
  CHECK(says(found.best, {"Best throughput within limits: 22,044 tokens/s at point 2", "a.batch 4",
                          "usd_per_m_tokens 2 USD"}));
  CHECK(says(found.best, {"Best usd_per_m_tokens within limits: 2 USD at point 2"}));
  CHECK(says(found.notes, {"2 of 5 points that ran break tpot <= 50 ms."}));
  CHECK(says(found.notes, {"1 of 5 points that ran break power <= 25 kW."}));
  CHECK(says(found.notes, {"Sensitivity is of all 5 points that ran, 2 of them outside limits"}));
  CHECK(found.front == std::vector<std::int64_t>{2});
}

TEST_CASE("report: the table of a front has both ends, the cheapest first, in columns") {
  const SweepSpec sweep = sweep_with(
      "axes:\n  - {key: a.batch, values: [1, 2]}\nobjectives: [throughput, usd_per_m_tokens]\n");
  std::vector<StoredPoint> points;
  for (std::int64_t i = 0; i < 30; ++i)
    points.push_back(ran(sweep, i, {std::to_string(i)},
                         {{"throughput", 1000.0 * double(i + 1)}, {"usd_per_m_tokens", i + 1}}));
  const SweepAnalysis found = analyse(sweep, points);
  REQUIRE(found.front.size() == 30);
  CHECK(found.front.front() == 0);
  const std::string table = front_table(sweep, points, found.front, 12);
  CHECK(std::ranges::count(table, '\n') == 13);
  CHECK(table.find("throughput [tokens/s]") != std::string::npos);
  CHECK(table.find("30,000") != std::string::npos);  // the last one is there
  const std::size_t width = table.find('\n');
  for (std::size_t at = 0; at < table.size(); at += width + 1) CHECK(table[at + width] == '\n');
}

TEST_CASE("report: figures are in one form") {
  CHECK(figure_text(22044.4, "tokens/s") == "22,044 tokens/s");
  CHECK(figure_text(1234567.8, "") == "1,234,568");
  CHECK(figure_text(-1234.2, "") == "-1,234");
  CHECK(figure_text(0.94154, "USD") == "0.9415 USD");
  CHECK(figure_text(999, "W") == "999 W");
  CHECK(figure_text(2e8, "B") == "200 MB");
  CHECK(figure_text(1.6e9, "B") == "1.6 GB");
  CHECK(figure_text(8.8e15, "B/s") == "8.8 PB/s");
}

TEST_CASE("report: a figure that some runs do not have is named, and what it needs") {
  const SweepSpec sweep =
      sweep_with("axes:\n  - {key: a.b, values: [1, 2]}\nlimits: [ttft_p99 < 100]\n");
  const SweepAnalysis found = analyse(sweep, {ran(sweep, 0, {"1"}, {{"throughput", 1}}),
                                              ran(sweep, 1, {"2"}, {{"throughput", 2}})});
  CHECK(says(found.notes, {"2 of 2 points that ran have no ttft_p99", "begin with a prompt"}));
  CHECK(found.front.empty());
  CHECK(found.best.empty());
}

TEST_CASE("report: where the planner takes a slower plan, the report says between which values") {
  const SweepSpec sweep = sweep_with("axes:\n  - {key: a.batch, values: [64, 67, 70, 80]}\n");
  const auto point = [&](std::int64_t id, const char* batch, double speed, const char* plan) {
    return ran(sweep, id, {batch}, {{"throughput", speed}, {"limited_by", "kv"}, {"plan", plan}});
  };
  const SweepAnalysis found =
      analyse(sweep, {point(0, "64", 74e3, "TP8"), point(1, "67", 76e3, "TP8"),
                      point(2, "70", 48e3, "DP2 TP4"), point(3, "80", 50e3, "DP2 TP4 b")});
  CHECK(says(found.knees, {"Between a.batch 67 and 70 the plan changes from TP8 to DP2 TP4",
                           "throughput goes from 76,000 tokens/s to 48,000 tokens/s"}));
  CHECK(says(found.knees, {"Along a.batch the plan also changes at 80"}));
}
