// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_sweep.hpp"

#include <doctest/doctest.h>

#include "sim/base/error.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/config/sweep_figures.hpp"

using namespace reticle;

namespace {
const std::string kHead = "sweep: s\nrun: {platform: p, llm: l, workload: w}\n";
const std::string kAxis = "axes:\n  - {key: a.b, values: [1, 2]}\n";

std::string problem(const std::string& text) {
  try {
    (void)parse_sweep(text, "s.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}
}  // namespace

TEST_CASE("sweep file: a range has both ends and whole steps, a log range equal factors") {
  const auto values = [](const std::string& span) {
    return parse_sweep(kHead + "axes:\n  - {key: a.b, " + span + "}\n", "s.yaml")
        .axes[0]
        .columns[0]
        .values;
  };
  using Texts = std::vector<std::string>;
  CHECK(values("range: {from: 0, to: 1, steps: 6}") == Texts{"0", "0.2", "0.4", "0.6", "0.8", "1"});
  CHECK(values("log: {from: 1, to: 64, steps: 4}") == Texts{"1", "4", "16", "64"});
  CHECK(values("range: {from: 1, to: 2, steps: 2, unit: GB}") == Texts{"1 GB", "2 GB"});
  CHECK(values("range: {from: 1, to: 3, steps: 9, whole: true}") == Texts{"1", "2", "3"});
  // as they are written, not to six digits
  CHECK(values("range: {from: 0, to: 1048576, steps: 3}") == Texts{"0", "524288", "1048576"});
  CHECK(values("log: {from: 1, to: 1048577, steps: 2}") == Texts{"1", "1048577"});
  CHECK(values("range: {from: 0, to: 1, steps: 4}") == Texts{"0", "0.333333", "0.666667", "1"});
}

TEST_CASE("sweep file: mistakes are named where they stand") {
  const auto says = [](const std::string& text, const std::string& what) {
    const std::string got = problem(text);
    CHECK_MESSAGE(got.find(what) != std::string::npos, got);
    CHECK_MESSAGE(got.starts_with("s.yaml:"), got);
  };
  says(kHead, "axes: required list is missing");
  says(kHead + kAxis + "limit: [x]\n", "unknown key (did you mean limits?)");
  says(kHead + "axes:\n  - {key: a.b, values: [1, 1]}\n", "listed twice");
  says(kHead + "axes:\n  - {key: a.b, values: [1], log: {from: 1, to: 2, steps: 2}}\n",
       "one of values");
  says(kHead + "axes:\n  - {key: a.b, log: {from: 0, to: 2, steps: 2}}\n", "above 0");
  says(kHead + "axes:\n  - {key: a.b, range: {from: 3, to: 2, steps: 2}}\n", "above from");
  says(kHead + "axes:\n  - {key: a.b, range: {from: nan, to: 2, steps: 2}}\n", "finite");
  says(kHead + "axes:\n  - {key: a.b, range: {from: 1, to: 2, steps: 1}}\n", "between 2 and 1000");
  says(kHead + "axes:\n  - {key: batch, values: [1]}\n", "variable");
  says(kHead + "axes:\n  - zip: [{key: a.b, values: [1, 2]}, {key: a.c, values: [1]}]\n",
       "as many values");
  says(kHead + kAxis + "set: [a.b=3]\n", "is on an axis");
  says(kHead + "axes:\n  - {key: a.b, values: [1], when: c.d > 1}\n", "no axis before it");
  says(kHead + kAxis + "objectives: [througput]\n", "did you mean throughput?");
  says(kHead + kAxis + "limits: [tpot_p99 <]\n", "ends too early");
  says(kHead + kAxis + "limits: [platform.die.area_mm2 < 1]\n", "is on no axis");
  says(kHead + kAxis + "constraints:\n  - {require: throughput > 1}\n", "state it under limits");
  says(kHead + kAxis + "limits: [plan <= 4]\n", "'plan <= 4' takes a word for a number");
  says(kHead + kAxis + "limits: [limited_by]\n", "is a word");
  says(kHead + kAxis + "limits: [limited_by == 3]\n", "compares a word");
  says(kHead + kAxis + "limits: [tpot < 5 GB]\n", "compares ms with B");
  says(kHead + kAxis + "objectives: [less plan]\n", "is a word");
  says(
      kHead + "axes:\n  - {key: a.b, values: [a, b]}\n  - {key: a.c, values: [1], when: a.b > 1}\n",
      "takes a word for a number");
  says(kHead +
           "axes:\n  - {key: a.b, values: [1 GB, 2 GB]}\nderived:\n"
           "  - {key: a.c, equals: 2 * a.b, unit: GB}\n",
       "a.c counts in B: expected `unit: B`, got 'GB'");
  says(kHead + kAxis + "allow: [powers]\n", "power, heat_flux, die_area, price, rejected");
  says(kHead + kAxis + "design: {kind: sobol, points: 1}\n", "between 2 and");
  says(kHead + kAxis + "design: {kind: sobol, points: 8, seed: 1}\n", "unknown key");
  says(kHead + kAxis + "design: {kind: halton, points: 8}\n", "one of grid");
  says(kHead + kAxis + "time_limit: 0 s\n", "between 1 ms and a week");
  says(kHead + kAxis + "derived:\n  - {key: x.y, equals: z * 2}\n", "which is no axis");
  says("sweep: s\nrun: {platform: p, llm: l, workload: w, fidelity: roofline}\n" + kAxis +
           "halving: {keep: 1}\n",
       "roofline itself");
}

TEST_CASE("sweep file: limits take the units that figures are stated in") {
  const auto holds = [](const std::string& limit, double value) {
    const SweepSpec sweep = parse_sweep(kHead + kAxis + "limits: ['" + limit + "']\n", "s.yaml");
    return sweep.limits[0].number([&](const std::string&) { return ExpressionValue{value}; }) ==
           1.0;
  };
  for (const char* limit :
       {"power <= 25 kW", "power <= 25kW", "power <= 25000 W", "power <= 0.025 MW",
        "power <= 25000", "25 kW >= power and power > 0 W"}) {
    CHECK_MESSAGE(holds(limit, 25000), limit);
    CHECK_MESSAGE(!holds(limit, 25001), limit);
  }
  CHECK(holds("j_per_token < 900 mJ", 0.89));
  CHECK(!holds("j_per_token < 900 mJ", 0.91));
  CHECK(holds("die_area <= 858 mm2", 858));
  CHECK(holds("throughput >= 20000 tokens/s", 20000));
  CHECK(holds("usd_per_m_tokens <= 0.9 USD", 0.85));
  CHECK(holds("heat_flux <= 0.5 W/mm2", 0.5));
  for (const char* wrong : {"power <= 25 ms", "tpot <= 25 kW", "power <= 25 kWh", "dies <= 5 W"})
    CHECK_THROWS_AS((void)holds(wrong, 1), ConfigError);
}

TEST_CASE("sweep file: a limit in ms or s is of a time") {
  const auto holds = [](const std::string& limit, double tpot_ms) {
    const SweepSpec sweep = parse_sweep(kHead + kAxis + "limits: ['" + limit + "']\n", "s.yaml");
    return sweep.limits[0].number([&](const std::string&) { return ExpressionValue{tpot_ms}; }) ==
           1.0;
  };
  for (const char* limit : {"tpot_p99 <= 50 ms", "tpot_p99 <= 0.05 s", "tpot_p99 <= 50"}) {
    CHECK_MESSAGE(holds(limit, 49.9), limit);
    CHECK_MESSAGE(!holds(limit, 50.1), limit);
  }
  CHECK(holds("ttft_p99 < 2 s", 1999));
  CHECK(!holds("ttft_p99 < 2 s", 2001));
}

TEST_CASE("sweep file: every shipped sweep can be read") {
  const auto names = catalogue_names(CatalogueKind::Sweep);
  CHECK(names.size() >= 5);
  for (const auto& name : names) CHECK(read_sweep(name).name == name);
}

TEST_CASE("sweep file: every figure and fact has a name of its own") {
  for (const SweepFigure& f : kSweepFigures) CHECK(find_sweep_figure(f.name) == &f);
  for (const SweepFigure& f : kSweepFacts) CHECK(find_sweep_figure(f.name) == &f);
}
