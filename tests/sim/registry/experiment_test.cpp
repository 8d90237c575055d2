// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/experiment.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

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
refuted_if: [{test: goodput, arm: clever, points: every, below: 2, where: [{axis: batch, labels: ["64"]}]}]
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
  CHECK(problem_of(with(kSound, "{low: 2", "{low: 3")) ==
        "b07.yaml:12:20: tests[0].claimed.low: must be the entry's, got 3");
  CHECK(problem_of(with(kSound, "claim: goodput", "claim: speed")) ==
        "b07.yaml:11:12: tests[0].claim: must be a claim of B7, got speed");
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

TEST_CASE("experiment: a falsifier is a condition over a test, an arm and points that are there") {
  const Experiment experiment = parse_experiment(kSound, "b07.yaml", entries());
  REQUIRE(experiment.refuted_if.size() == 1);
  CHECK(*experiment.refuted_if[0].below == 2);
  CHECK(experiment.refuted_if[0].everywhere);
  REQUIRE(experiment.refuted_if[0].where.size() == 1);
  CHECK(experiment.refuted_if[0].where[0].labels == std::vector<std::string>{"64"});
  const auto broken = [](const std::string& old, const std::string& now) {
    return problem_of(with(kSound, old, now));
  };
  CHECK(broken("{test: goodput", "{test: badput") ==
        "b07.yaml:4:21: refuted_if[0].test: must be a test of this experiment, got badput");
  CHECK(broken("arm: clever", "arm: simple").find("must be a treatment of the test, got simple") !=
        std::string::npos);
  CHECK(broken("points: every", "points: all").find("expected one of every") != std::string::npos);
  CHECK(broken("below: 2,", "").find("expected either below or at_least") != std::string::npos);
  CHECK(broken("below: 2,", "below: 2, at_least: 1,").find("expected either") != std::string::npos);
  CHECK(broken("axis: batch", "axis: size").find("must be an axis of the test, got size") !=
        std::string::npos);
  CHECK(broken("\"64\"]", "\"65\"]").find("must be labels of the axis, got 65") !=
        std::string::npos);
  CHECK(broken("refuted_if: [{test: goodput, arm: clever, points: every, below: 2, where: [{axis: "
               "batch, labels: [\"64\"]}]}]\n",
               "")
            .find("refuted_if") != std::string::npos);
}

TEST_CASE("experiment: a condition may speak to arms alone, and to arms that are there") {
  const std::string old = "{label: large}", now = "{label: large, arms: {clever: {set: [a.b=3]}}}";
  const Experiment experiment = parse_experiment(with(kSound, old, now), "b07.yaml", entries());
  CHECK(experiment.tests[0].conditions[1].points[1].for_arms.at("clever").sets[0] == "a.b=3");
  CHECK(problem_of(with(kSound, old, "{label: large, arms: {simple: {}}}"))
            .find("expected arms of the test, got simple") != std::string::npos);
}

TEST_CASE("experiment: a limit is relative to an arm, the value of operating points is there") {
  const std::string limit = "    within: [{figure: f, relative_to: plain, at_least: 0.9}]\n";
  CHECK(parse_experiment(kSound + limit, "b07.yaml", entries()).tests[0].within[0].relative_to ==
        "plain");
  CHECK(problem_of(kSound + with(limit, "plain", "nobody"))
            .find("must be an arm of the test, got nobody") != std::string::npos);
  CHECK(problem_of(with(kSound, "throughput.output_tokens_per_s", "operating_point.figure"))
            .find("every operating point needs its figure") != std::string::npos);
}

TEST_CASE("experiment: arms and axes that several tests have are said once") {
  const std::string shared =
      "arms:\n  - {name: quick, what: \"so\", platform: h100-8, set: [a.b=1]}\n"
      "axes:\n  - {name: batch, key: workload.batch, values: [1, 64]}\n";
  const std::string text =
      with(with(kSound, "{name: batch, key: workload.batch, values: [1, 64]}", "{like: batch}"),
           "      - {name: clever, platform: h100-8, set: [a.b=2]}\n",
           "      - {like: quick, name: clever, set: [c.d=2]}\n      - {like: quick}\n");
  const Experiment experiment = parse_experiment(
      with(text, "llm: llama-3-70b\n", "llm: llama-3-70b\n" + shared), "b07.yaml", entries());
  const ClaimTest& test = experiment.tests[0];
  CHECK(test.conditions[0].points[1].choice.sets[0] == "workload.batch=64");
  CHECK(test.treatments[0].choice.sets == std::vector<std::string>{"a.b=1", "c.d=2"});
  CHECK(test.treatments[0].shared.llm == "llama-3-70b");
  CHECK(test.treatments[1].name == "quick");
  CHECK(test.treatments[1].what == "so");
  CHECK(problem_of(
            with(kSound, "{name: batch, key: workload.batch, values: [1, 64]}", "{like: batch}"))
            .find("must be one of this experiment's axes, got batch") != std::string::npos);
  CHECK(problem_of(with(kSound, "{name: clever, platform: h100-8, set: [a.b=2]}", "{like: quick}"))
            .find("must be one of this experiment's arms, got quick") != std::string::npos);
}

TEST_CASE("experiment: a search has rates in even ratios, and limits that they keep") {
  const std::string choose =
      "    choose: {name: x, key: workload.rate_scale, from: 0.5, to: 2, step: 1.3}\n";
  const std::string limit = "    within: [{figure: goodput.share, at_least: 0.9}]\n";
  const Experiment experiment = parse_experiment(kSound + choose + limit, "b07.yaml", entries());
  const ConditionAxis& axis = *experiment.tests[0].choose;
  CHECK(axis.search);
  REQUIRE(axis.points.size() == 6);  // 0.5, 0.65, 0.845, 1.0985, 1.428, 1.856
  CHECK(axis.points[3].label == "1.1");
  CHECK(*axis.points[3].value == 1.1);
  CHECK(axis.points[3].choice.sets[0] == "workload.rate_scale=1.1");
  const auto problem = [&](const std::string& old, const std::string& now) {
    return problem_of(with(kSound + choose + limit, old, now));
  };
  CHECK(problem(limit, "").find("expected within") != std::string::npos);
  CHECK(problem("to: 2", "to: 0.4").find("must be above from") != std::string::npos);
  CHECK(problem("step: 1.3", "step: 1").find("step: must be between") != std::string::npos);
  CHECK(
      problem("better: higher", "better: lower").find("expected a metric that is better higher") !=
      std::string::npos);
  CHECK(problem("at_least: 0.9", "at_least: 0.9, relative_to: plain")
            .find("an arm that is searched for itself has no such limit") != std::string::npos);
}

TEST_CASE("experiment: points are all combinations, the last axis running fastest") {
  const Experiment experiment = parse_experiment(kSound, "b07.yaml", entries());
  using Point = std::vector<std::size_t>;
  CHECK(points_of(experiment.tests[0].conditions) ==
        std::vector<Point>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  CHECK(points_of({}) == std::vector<Point>{{}});
}

TEST_CASE("experiment: a plain name of a trace is judged by where it leads") {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("reticle_experiment_" + std::to_string(::getpid()));
  fs::create_directory(folder);
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  fs::create_symlink("/etc/passwd", "evil.jsonl");
  const std::string elsewhere = "is not below this file's folder";
  for (const auto& [old, now] :
       {std::pair{"llm: llama-3-70b", "llm: llama-3-70b\nworkload: evil.jsonl"},
        {"llm: llama-3-70b", "llm: llama-3-70b\nworkload: \"..\""},
        {"[workload.steps=2]", "[workload.path=evil.jsonl]"},
        {"[a.b=2]", "[workload.path=..]"},
        {"key: workload.batch, values: [1, 64]", "key: workload.path, values: [evil.jsonl]"},
        {"llm: llama-3-8b", "workload: evil.jsonl"}}) {
    CAPTURE(now);
    CHECK(problem_of(with(kSound, old, now)).find(elsewhere) != std::string::npos);
  }
  fs::current_path(before);
  fs::remove_all(folder);
}
