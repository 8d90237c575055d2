// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/summary.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
std::string example_summary() { return summary(example_spec(), example_result(), {.wall_s = 1.5}); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The rows between the line that starts with `title` and the one of the total, and that.
struct Table {
  std::vector<std::string> rows;
  std::string total;
};
Table table(const std::string& text, const std::string& title) {
  Table found;
  bool inside = false;
  for (const auto& line : lines_of(text)) {
    if (inside && line.starts_with("  total")) {
      found.total = line;
      return found;
    }
    if (inside) found.rows.push_back(line);
    inside = inside || line.starts_with(title);
  }
  FAIL("no table ", title);
  return found;
}

/// Field `n` behind the 28 columns of the title, in thousandths.
std::int64_t thousandths(const std::string& line, int n) {
  std::istringstream in{line.substr(28)};
  std::string field;
  for (int i = 0; i <= n; ++i) in >> field;
  std::erase(field, ',');
  return std::llround(std::stod(field) * 1000);
}

void check_sum(const Table& t, int column) {
  std::int64_t sum = 0;
  for (const auto& row : t.rows) sum += thousandths(row, column);
  CHECK(sum == thousandths(t.total, column));
}
}  // namespace

TEST_CASE("summary: no line is longer than 100 columns or ends in a blank") {
  for (const auto& line : lines_of(example_summary())) {
    CAPTURE(line);
    CHECK(line.size() <= 100);
    CHECK((line.empty() || line.back() != ' '));
  }
}

TEST_CASE("summary: printed shares of time add up to 100.0 %") {
  RunResult result = example_result();
  for (std::int64_t skew = 0; skew < 60; ++skew) {
    result.breakdown[0] += Picoseconds{skew * 1'034'567};
    result.breakdown.back() -= Picoseconds{skew * 1'034'567};
    const Table t = table(summary(example_spec(), result, {}), "Where the time went");
    CHECK(thousandths(t.total, 0) == 100'000);
    check_sum(t, 0);
  }
}

TEST_CASE("summary: printed parts of energy add up to the printed total, joules and shares") {
  RunSpec spec = example_spec();
  for (int i = 0; i < 40; ++i) {
    spec.platform.energy.vector_pj *= 1.37;
    const Table t = table(summary(spec, example_result(), {}), "Energy");
    check_sum(t, 0);
    check_sum(t, 1);
    CHECK(thousandths(t.total, 1) == 100'000);
  }
}

TEST_CASE("summary: says what a reader asks for first") {
  const std::string text = example_summary();
  for (const char* phrase :
       {"Example machine (example), hypothetical", "example-llm on 2 nodes, 6 chips, 12 dies",
        "workload traces/a.csv:azure, seed 7, transaction fidelity",
        "output tokens/s                          800.0             133.3",
        "capex                                  $60,000           $10,000",
        "Roofline  2,000 tokens/s, bound by HBM bandwidth; the steps achieve 25.0 % of it",
        "Limited by weights from HBM: ", "25.0 % asked for, 26.0 % expected, 25.0 % measured",
        "! 1 of 4 requests were rejected", "1 datasheet, 2 estimate",
        "Prefix cache: 1 of 4 prompt blocks found, 64 prompt tokens not computed; 3 blocks evicted",
        "2 preemptions, 70 tokens computed once more",
        "4 steps, 3 simulated and 1 recalled, off by -1.00 +- 0.40 % in the mean and 1.0 % a step "
        "over 1\naudit"}) {
    CAPTURE(phrase);
    CAPTURE(text);
    CHECK(text.find(phrase) != std::string::npos);
  }
}

TEST_CASE("summary: an empty run prints dashes, not numbers that mean nothing") {
  RunResult nothing;
  nothing.placement = example_placement();
  RunSpec spec = example_spec();
  spec.resolved.clear();
  const std::string text = summary(spec, nothing, {});
  CHECK(text.find("nan") == std::string::npos);
  CHECK(text.find("inf") == std::string::npos);
  CHECK(text.find("output tokens/s                              -                 -") !=
        std::string::npos);
  CHECK(text.find("no time passed") != std::string::npos);
}

TEST_CASE("summary: a steady decode of one token") {
  const std::string text = summary(steady_spec(1), steady_result(1), {});
  CHECK(text.find("a single stream sees 1,000 tokens/s") != std::string::npos);
  CHECK(text.find("1 step; 1 token generated") != std::string::npos);
  CHECK(text.find("as much as fits") == std::string::npos);
}
