// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/findings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
std::string text_of(const std::vector<Finding>& found, FindingKind kind) {
  const auto hit = std::ranges::find(found, kind, &Finding::kind);
  return hit == found.end() ? "" : hit->text;
}

RunResult flawless() {
  RunResult result = steady_result(4);
  return result;
}
}  // namespace

TEST_CASE("findings: nothing to say about a run within its limits") {
  const RunSpec spec = steady_spec(4);
  CHECK(run_findings(spec, flawless()).empty());
  CHECK(priced_findings(spec.platform, figures(spec, flawless()).energy).empty());
}

TEST_CASE("findings: requests that were refused or cut off are counted") {
  const auto found = run_findings(example_spec(), example_result());
  CHECK(text_of(found, FindingKind::Rejected) ==
        "1 of 4 requests were rejected: 1 longer than the model's context");
  CHECK(text_of(found, FindingKind::Unfinished) ==
        "2 of 4 requests had not finished when the run ended");
}

TEST_CASE("findings: a die may fill the reticle field but not exceed it") {
  RunSpec spec = steady_spec(4);
  spec.platform.die.area_mm2 = 858;
  CHECK(run_findings(spec, flawless()).empty());
  spec.platform.die.area_mm2 = 859;
  CHECK(text_of(run_findings(spec, flawless()), FindingKind::DieArea) ==
        "a die of 859.0 mm2 exceeds the reticle field of 858 mm2: it needs stitching or several "
        "dies");
  spec.platform.die.area_mm2 = 1600;
  spec.platform.die.chiplets = 2;
  CHECK(run_findings(spec, flawless()).empty());
  spec.platform.die.area_mm2 = 1720;
  CHECK(text_of(run_findings(spec, flawless()), FindingKind::DieArea).starts_with("a die of 860"));
}

TEST_CASE("findings: power and heat above their limits") {
  RunSpec spec = steady_spec(4);
  spec.platform.node_power_limit_w = 600;
  spec.platform.heat_flux_limit_w_per_mm2 = 0.1;
  const auto found = priced_findings(spec.platform, figures(spec, flawless()).energy);
  CHECK(text_of(found, FindingKind::Power) ==
        "power while busy is 1.385 kW, above the envelope of 1.200 kW");
  CHECK(text_of(found, FindingKind::HeatFlux) ==
        "heat flux is 0.128 W/mm2, above the 0.100 W/mm2 the cooling carries");
}

TEST_CASE("findings: recall is reported when its error is large or not known") {
  RunSpec spec = steady_spec(4);
  RunResult result = flawless();
  result.recall = {.enabled = true, .simulated = 1, .recalled = 3};
  CHECK(text_of(run_findings(spec, result), FindingKind::Recall) ==
        "3 steps were recalled and none audited: the error of recall is not known");
  // Single steps that are 8 % off to either side add up to what they should.
  result.recall.all = {
      .audits = 400, .mean_error = 0.005, .standard_error = 0.005, .mean_abs_error = 0.08};
  CHECK(run_findings(spec, result).empty());
  // Twice the standard error and the mean itself: the sums are known to 4.5 %.
  result.recall.all.audits = 25;
  result.recall.all.standard_error = 0.02;
  CHECK(text_of(run_findings(spec, result), FindingKind::Recall)
            .starts_with("recalled steps may be off by 4.5 % in sum (25 audits)"));
  result.recall = {.enabled = true, .recalled = 3, .all = {.audits = 400, .mean_error = -0.05}};
  CHECK(text_of(run_findings(spec, result), FindingKind::Recall).find("5.0 %") !=
        std::string::npos);
}
