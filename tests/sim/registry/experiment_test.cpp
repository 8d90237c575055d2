// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/experiment.hpp"

#include <doctest/doctest.h>

#include "tests/sim/registry/example_entry.hpp"

using namespace reticle;

namespace {
std::vector<Entry> entries() {
  std::vector<Entry> all{test::example_entry(7)};
  UnlockClaim claim;
  claim.id = "goodput";
  claim.low = 2;
  claim.high = 4;
  claim.unit = "x";
  all[0].claims.push_back(claim);
  return all;
}

const std::string kSound = R"(id: B7
hypothesis: "it helps"
falsifier: "it does not"
llm: llama-3-70b
set: [workload.steps=2]
tests:
  - id: goodput
    title: "Goodput"
    form: ratio
    claim: goodput
    claimed: {low: 2, high: 4}
    metric: {figure: throughput.output_tokens_per_s, title: "tokens/s", unit: "tokens/s", better: higher}
    baseline: {name: plain, platform: h100-8}
    treatments:
      - {name: clever, platform: h100-8, set: [a.b=2]}
    conditions:
      - {name: batch, key: workload.batch, values: [1, 64]}
      - {name: model, points: [{label: small, llm: llama-3-8b}, {label: large}]}
)";

std::string with(std::string text, const std::string& old, const std::string& now) {
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), now);
}

std::string problem_of(const std::string& text) {
  try {
    (void)parse_experiment(text, "b07.yaml", entries());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}
}  // namespace

TEST_CASE("experiment: what all share, and what each axis and arm adds") {
  const Experiment experiment = parse_experiment(kSound, "b07.yaml", entries());
  REQUIRE(experiment.tests.size() == 1);
  const ClaimTest& test = experiment.tests[0];
  CHECK(test.baseline->shared.llm == "llama-3-70b");
  CHECK(test.baseline->shared.sets == std::vector<std::string>{"workload.steps=2"});
  CHECK(test.conditions[0].points[1].choice.sets[0] == "workload.batch=64");
  CHECK(test.conditions[1].points[0].choice.llm == "llama-3-8b");
  CHECK(test.claim_unit == "x");
}

TEST_CASE("experiment: the claimed range must be the entry's") {
  CHECK(problem_of(with(kSound, "low: 2", "low: 3")) ==
        "b07.yaml:11:20: tests[0].claimed.low: must be the entry's, got 3");
  CHECK(problem_of(with(kSound, "claim: goodput", "claim: speed")) ==
        "b07.yaml:10:12: tests[0].claim: must be a claim of B7, got speed");
}

TEST_CASE("experiment: broken ones are refused where they are wrong") {
  CHECK(problem_of(with(kSound, "id: B7", "id: B8")) ==
        "b07.yaml:1:5: id: must be an entry of the registry, got B8");
  CHECK(problem_of(with(kSound, "name: clever", "name: plain")).find("is there twice") !=
        std::string::npos);
  CHECK(problem_of(with(kSound, "a.b=2", "a.b")).find("expected key=value, got a.b") !=
        std::string::npos);
  CHECK(problem_of(with(kSound, "values: [1, 64]", "values: [1, 1]")).find("1 is there twice") !=
        std::string::npos);
  CHECK(problem_of(with(kSound, "form: ratio", "form: ration")).find("expected one of ratio") !=
        std::string::npos);
  CHECK(problem_of(with(kSound, "name: clever,", "name: clever, bound: true,"))
            .find("expected one that is not a bound") != std::string::npos);
  CHECK(problem_of("id: B7\nhypothesis: a\nfalsifier: b\n").find("needs") != std::string::npos);
}

TEST_CASE("experiment: points are all combinations, the last axis running fastest") {
  const Experiment experiment = parse_experiment(kSound, "b07.yaml", entries());
  using Point = std::vector<std::size_t>;
  CHECK(points_of(experiment.tests[0].conditions) ==
        std::vector<Point>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  CHECK(points_of({}) == std::vector<Point>{{}});
}
