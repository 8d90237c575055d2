// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/validation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/registry/plot_svg.hpp"
#include "tests/sim/registry/example_entry.hpp"

using namespace reticle;

namespace {
ConditionAxis axis(std::string name, const std::string& key, std::vector<std::string> values) {
  ConditionAxis out{std::move(name), {}};
  for (auto& value : values) out.points.push_back({value, {{}, {}, {}, {}, {key + "=" + value}}});
  return out;
}

Arm arm(std::string name, std::vector<std::string> sets = {}) {
  Arm out;
  out.name = out.what = std::move(name);
  out.shared.platform = "p";
  out.choice.sets = std::move(sets);
  return out;
}

ClaimTest example_test() {
  ClaimTest test;
  test.id = "t";
  test.title = "A test";
  test.claim = "c";
  test.claimed = {.low = 2, .high = 4};
  test.claim_unit = "x";
  test.metric.figure = "rate";
  test.metric.title = "tokens/s";
  test.baseline = arm("plain");
  test.treatments = {arm("twice", {"k=2"}), arm("thrice", {"k=3"})};
  test.conditions = {axis("batch", "b", {"1", "8"})};
  return test;
}

/// A machine whose rate is a closed form of its command: b, times k, but k helps only below `wall`.
class Machine {
 public:
  explicit Machine(double wall) : wall_{wall} {}
  const CellOutcome& operator()(const std::string& command) {
    CellOutcome& outcome = outcomes_[command];
    outcome.cell = command;
    const double batch = number(command, "b="), k = number(command, "k=");
    if (k > 0 && number(command, "room=") < 0) outcome.problem = "does not fit";
    outcome.figures = {{"rate", batch * (k > 0 && batch < wall_ ? k : 1)}, {"late", batch * 10}};
    outcome.limited_by = batch < wall_ ? "memory" : "compute";
    return outcome;
  }

 private:
  static double number(const std::string& command, const std::string& key) {
    const std::size_t at = command.rfind(" " + key);
    return at == std::string::npos ? 0 : std::stod(command.substr(at + 1 + key.size()));
  }
  double wall_;
  std::map<std::string, CellOutcome> outcomes_;
};

TestResult judged(const ClaimTest& test, double wall) {
  auto machine = std::make_shared<Machine>(wall);
  return judge(test, [machine](const std::string& c) { return &(*machine)(c); });
}
}  // namespace

TEST_CASE("validation: the same test comes to another verdict on another machine") {
  CHECK(judged(example_test(), 100).overall.verdict == RegistryVerdict::Supported);
  CHECK(judged(example_test(), 4).overall.verdict == RegistryVerdict::Conditional);
  CHECK(judged(example_test(), 4).overall.condition == "where batch is 1");
  CHECK(judged(example_test(), 0).overall.verdict == RegistryVerdict::Overclaimed);
  ClaimTest modest = example_test();
  modest.claimed = {.low = 1, .high = 1.5};
  CHECK(judged(modest, 100).overall.verdict == RegistryVerdict::Underclaimed);
}

TEST_CASE("validation: at each point the best remedy counts, a bound never") {
  ClaimTest test = example_test();
  TestResult result = judged(test, 100);
  CHECK(result.overall.low == 3);
  CHECK(result.overall.high == 3);
  CHECK(result.treatments[0].high == 2);
  test.treatments[1].bound = true;
  result = judged(test, 100);
  CHECK(result.overall.high == 2);
  CHECK(result.treatments[1].high == 3);
}

TEST_CASE("validation: what takes over is what limits the best remedy of most points") {
  ClaimTest test = example_test();
  test.conditions = {axis("batch", "b", {"1", "8", "9"})};
  const TestResult result = judged(test, 4);
  CHECK(result.bound_before == "compute");
  test.conditions = {axis("batch", "b", {"1", "2", "9"})};
  CHECK(judged(test, 4).bound_before == "memory");
}

TEST_CASE("validation: a loss is a price, a figure needs no baseline") {
  ClaimTest test = example_test();
  test.form = Form::LossPercent;
  test.claimed = {.low = 5, .high = 15, .is_price = true};
  test.baseline = arm("plain", {"k=2"});
  test.treatments = {arm("dear")};  // half the rate
  CHECK(*judged(test, 100).overall.high == doctest::Approx(50));
  CHECK(judged(test, 100).overall.verdict == RegistryVerdict::Overclaimed);
  test = example_test();
  test.form = Form::Figure;
  test.baseline.reset();
  test.metric.scale = 0.5;
  test.treatments = {arm("thrice", {"k=3"})};
  CHECK(judged(test, 100).overall.low == 1.5);
  CHECK(judged(test, 100).overall.high == 12);
}

TEST_CASE("validation: lower may be better") {
  ClaimTest test = example_test();
  test.metric.lower_is_better = true;
  CHECK(*judged(test, 100).treatments[0].low == doctest::Approx(0.5));
}

TEST_CASE("validation: a remedy that does not fit is worse, one that alone fits is better") {
  ClaimTest test = example_test();
  for (Arm& treatment : test.treatments) treatment.choice.sets.push_back("room=-1");
  CHECK(judged(test, 100).overall.verdict == RegistryVerdict::Overclaimed);
  std::swap(*test.baseline, test.treatments[0]);
  test.baseline->choice.sets.push_back("k=2");
  test.treatments.resize(1);
  const TestResult alone = judged(test, 100);
  CHECK(alone.overall.verdict == RegistryVerdict::Underclaimed);
  CHECK_FALSE(alone.overall.high);
}

TEST_CASE("validation: where nothing fits there is nothing to judge by") {
  ClaimTest test = example_test();
  for (Arm& treatment : test.treatments) treatment.choice.sets.push_back("room=-1");
  test.baseline->choice.sets = {"k=1", "room=-1"};
  CHECK(judged(test, 100).overall.verdict == RegistryVerdict::NotSimulable);
}

TEST_CASE("validation: an arm works at its best operating point within the limits") {
  ClaimTest test = example_test();
  test.conditions.clear();
  test.choose = axis("batch", "b", {"1", "8", "9"});
  TestResult result = judged(test, 100);
  CHECK(result.points[0].baseline->operating_point == "9");
  test.within.push_back({"late", 85, std::nullopt});
  result = judged(test, 100);
  CHECK(result.points[0].baseline->operating_point == "8");
  CHECK(*result.points[0].baseline->value == 8);
  test.within[0].at_most = 5;
  result = judged(test, 100);
  CHECK_FALSE(result.points[0].baseline->value);
  CHECK(result.points[0].baseline->problem.find("at most 5 counts") != std::string::npos);
}

namespace {
/// Rates in even ratios, each worth `rate` until more than `capacity` come.
ConditionAxis rates(double step, int count) {
  ConditionAxis out{"rate", {}, /*search=*/true};
  for (int i = 0; i < count; ++i) {
    const double rate = std::pow(step, i);
    ConditionPoint point{std::to_string(rate), {}};
    point.choice.sets = {"rate=" + point.label};
    point.value = rate;
    out.points.push_back(std::move(point));
  }
  return out;
}

double number_after(const std::string& text, const std::string& key) {
  return std::stod(text.substr(text.find(key) + key.size()));
}

/// Two arms of a search: what is asked for is run, as long as something is.
struct Searched {
  TestResult result;
  std::size_t runs = 0;
};
Searched searched(const ClaimTest& test, const std::map<std::string, double>& capacities) {
  Experiment experiment;
  experiment.id = "B1";
  experiment.tests = {test};
  std::map<std::string, CellOutcome> known;
  const Outcomes outcomes = [&](const std::string& command) -> const CellOutcome* {
    const auto found = known.find(command);
    return found == known.end() ? nullptr : &found->second;
  };
  for (bool more = true; more;) {
    more = false;
    for (const Cell& cell : cells_of({experiment}, outcomes)) {
      if (known.contains(cell.command)) continue;
      more = true;
      const double rate = number_after(cell.command, "rate=");
      const std::size_t at = cell.command.find("arm=") + 4;
      const bool kept = rate <= capacities.at(cell.command.substr(at, 1));
      CellOutcome outcome;
      outcome.cell = cell.name;
      outcome.figures = {{"rate", rate}, {"share", kept ? 1 : 0}};
      known.emplace(cell.command, std::move(outcome));
    }
  }
  CHECK(cells_of({experiment}, outcomes).size() == known.size());
  return {judge(test, outcomes), known.size()};
}

ClaimTest search_test(double step, int count) {
  ClaimTest test = example_test();
  test.baseline = arm("plain", {"arm=p"});
  test.treatments = {arm("clever", {"arm=c"})};
  test.conditions.clear();
  test.choose = rates(step, count);
  test.within = {{.figure = "share", .at_least = 0.9}};
  return test;
}
}  // namespace

TEST_CASE("validation: a search finds the last rate that keeps the limits, in few runs") {
  const ClaimTest test = search_test(1.05, 127);  // up to 1.05^126 = 467
  for (const double plain : {1.0, 1.04, 7.3, 100.0})
    for (const double clever : {2.0, 33.0, 460.0}) {
      const auto [result, runs] = searched(test, {{"p", plain}, {"c", clever}});
      CHECK(runs <= 2 * 7);
      const ArmResult& baseline = *result.points[0].baseline;
      CHECK(*baseline.value <= plain);
      CHECK(*baseline.value * 1.05 > plain);
      CHECK(std::stod(baseline.next_point) > plain);
      CHECK(*baseline.most == doctest::Approx(*baseline.value * 1.05));
      const Comparand& found = result.points[0].treatments[0];
      CHECK(*found.figure == doctest::Approx(*found.arm.value / *baseline.value));
      // The ratio of what the machines could really take lies between.
      CHECK(*found.low < clever / plain);
      CHECK(*found.high > clever / plain);
      CHECK(*found.high / *found.low == doctest::Approx(1.05 * 1.05));
    }
}

TEST_CASE("validation: a search that no rate keeps, and one that all keep") {
  const ClaimTest test = search_test(1.05, 127);
  const TestResult none = searched(test, {{"p", 0.5}, {"c", 3}}).result;
  CHECK_FALSE(none.points[0].baseline->value);
  CHECK(none.points[0].baseline->problem.find("at least 0.9 counts") != std::string::npos);
  CHECK_FALSE(none.points[0].treatments[0].figure);
  CHECK(*none.points[0].treatments[0].standing == Standing::Better);
  const TestResult all = searched(test, {{"p", 2}, {"c", 1e9}}).result;
  CHECK(all.points[0].treatments[0].arm.next_point.empty());
  CHECK_FALSE(all.points[0].treatments[0].arm.most);
  Validation validation;
  validation.entries.resize(1);
  validation.entries[0].tests = {all};
  CHECK(validation_markdown(validation).find("at least: the search ends there") !=
        std::string::npos);
}

TEST_CASE("validation: a falsifier comes true by figures alone, and takes the verdict with it") {
  Experiment experiment;
  experiment.id = "B1";
  experiment.tests = {example_test()};  // the best arm gains 3 at both batches
  const auto concluded = [&](Refutation refutation, double wall) {
    refutation.test = "t";
    experiment.refuted_if = {std::move(refutation)};
    auto machine = std::make_shared<Machine>(wall);
    return judge(test::example_entry(1), experiment,
                 [machine](const std::string& c) { return &(*machine)(c); });
  };
  EntryResult result = concluded({.below = 3}, 100);
  CHECK_FALSE(result.refuted);
  CHECK(result.verdict == RegistryVerdict::Supported);
  CHECK(result.refutations[0].of == 2);
  CHECK(result.refutations[0].holds == 0);
  result = concluded({.from = 3}, 100);
  CHECK(result.refuted);
  CHECK(result.verdict == RegistryVerdict::Overclaimed);
  CHECK(concluded({.arm = "twice", .from = 2.5}, 100).refuted == false);
  // At one batch of two: some, not every; and every of those looked at.
  CHECK_FALSE(concluded({.below = 2}, 4).refuted);
  CHECK(concluded({.everywhere = false, .below = 2}, 4).refuted);
  CHECK(concluded({.below = 2, .where = {{"batch", {"8"}}}}, 4).refuted);
  CHECK_FALSE(concluded({.below = 2, .where = {{"batch", {"1"}}}}, 4).refuted);
  // By two axes: the points that are of both.
  experiment.tests[0].conditions.push_back(axis("other", "o", {"x", "y"}));
  result = concluded({.below = 2, .where = {{"batch", {"8"}}, {"other", {"y"}}}}, 4);
  CHECK(result.refuted);
  CHECK(result.refutations[0].of == 1);
}

TEST_CASE("validation: a remedy that does not fit is below any gain, and not above one") {
  Experiment experiment;
  experiment.id = "B1";
  experiment.tests = {example_test()};
  for (Arm& treatment : experiment.tests[0].treatments) treatment.choice.sets.push_back("room=-1");
  experiment.refuted_if = {{.test = "t", .below = 0.1}};
  auto machine = std::make_shared<Machine>(100);
  const Outcomes outcomes = [&](const std::string& c) { return &(*machine)(c); };
  CHECK(judge(test::example_entry(1), experiment, outcomes).refuted);
  experiment.refuted_if = {{.test = "t", .from = 0.1}};
  CHECK_FALSE(judge(test::example_entry(1), experiment, outcomes).refuted);
}

TEST_CASE("validation: without a claim figures are shown, and nothing is judged") {
  ClaimTest test = example_test();
  test.claim.clear();
  const TestResult result = judged(test, 100);
  CHECK_FALSE(result.overall.verdict);
  CHECK(result.overall.high == 3);
  CHECK_FALSE(result.treatments[0].verdict);
  CHECK_FALSE(result.points[0].treatments[0].standing);
  CHECK(*result.points[0].best == 1);
}

TEST_CASE("validation: saving a third of the time is not a gain of a third") {
  ClaimTest test = example_test();
  test.metric.lower_is_better = true;
  test.baseline = arm("plain", {"k=3"});
  test.treatments = {arm("short", {"k=2"})};
  test.form = Form::SavingPercent;
  CHECK(*judged(test, 100).overall.high == doctest::Approx(100.0 / 3));
  test.form = Form::GainPercent;
  CHECK(*judged(test, 100).overall.high == doctest::Approx(50));
}

TEST_CASE("validation: the largest operating point whose figure keeps its share of another arm's") {
  ClaimTest test = example_test();
  test.form = Form::Figure;
  test.baseline.reset();
  test.conditions.clear();
  test.treatments = {arm("ideal", {"k=2"}), arm("real", {"k=1"})};
  test.treatments[0].bound = true;
  test.choose = axis("size", "b", {"1", "8", "9"});
  for (std::size_t i = 0; i < 3; ++i) test.choose->points[i].value = static_cast<double>(10 * i);
  test.metric.figure = std::string{kOperatingPointValue};
  test.within = {{.figure = "rate", .at_least = 0.9, .relative_to = "ideal"}};
  // Above 8 the ideal one gains nothing either: only there the real one keeps up.
  const TestResult result = judged(test, 9);
  CHECK(*result.points[0].treatments[1].figure == 20);
  CHECK(result.points[0].treatments[1].arm.operating_point == "9");
  const TestResult none = judged(test, 100);
  CHECK_FALSE(none.points[0].treatments[1].figure);
  CHECK(none.points[0].treatments[1].arm.problem.find("rate over ideal is 0.5") !=
        std::string::npos);
}

TEST_CASE("validation: what a condition says for one arm comes last, and to no other") {
  ClaimTest test = example_test();
  test.conditions = {axis("effect", "b", {"1"})};
  test.conditions[0].points[0].for_arms["twice"].sets = {"k=9"};
  const TestResult result = judged(test, 100);
  CHECK(result.points[0].treatments[0].arm.command ==
        "reticle run --platform p --set b=1 --set "
        "k=2 --set k=9");
  CHECK(result.points[0].treatments[1].arm.command ==
        "reticle run --platform p --set b=1 --set k=3");
}

TEST_CASE("validation: a figure that no report has is an error where it is named") {
  CellOutcome outcome;
  outcome.figures = {{"throughput.output_tokens_per_s", 1}};
  outcome.without_value = {"goodput"};
  const auto problem = [&](const std::string& figure) -> std::string {
    try {
      require_figures(outcome, {{figure, {"b01.yaml", 7, 20}}});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(problem("throughput.output_tokens_per_s") == "none");
  CHECK(problem("goodput.share") == "none");  // there was nothing to count
  CHECK(problem("throughput.output_token_per_s") ==
        "b01.yaml:7:20: figure: the report of a run has no throughput.output_token_per_s (did you "
        "mean throughput.output_tokens_per_s?)");
  outcome.problem = "does not fit";
  CHECK(problem("nonsense") == "none");
}

TEST_CASE("validation: a cell is run once, whoever asks for it, and its command says all") {
  Experiment experiment;
  experiment.id = "B1";
  experiment.tests = {example_test(), example_test()};
  const std::vector<Cell> cells = cells_of({experiment});
  CHECK(cells.size() == 6);
  std::set<std::string> names, commands;
  for (const Cell& cell : cells) {
    names.insert(cell.name);
    commands.insert(cell.command);
  }
  CHECK(names.size() == 6);
  CHECK(commands.contains("reticle run --platform p --set b=8 --set k=3"));
  CHECK(command_of({"p", "", "", "", {"a=[1, 2]"}}) == "reticle run --platform p --set 'a=[1, 2]'");
  CHECK(command_of({"", "it's", "", "", {}}) == "reticle run --llm 'it'\\''s'");
}

TEST_CASE("validation: an arm's own keys come after those of conditions") {
  ClaimTest test = example_test();
  test.treatments = {arm("own", {"b=5"})};
  const std::string command = judged(test, 100).points[0].treatments[0].arm.command;
  CHECK(command == "reticle run --platform p --set b=1 --set b=5");
}

TEST_CASE("validation: a report's numbers go by their paths, what does not fit has its reason") {
  const CellOutcome outcome = read_outcome(
      "c",
      R"({"reticle_version": "1.2", "git_revision": "abc", "feasible": {"fits": true}, "a": {"b": 2, "c": null, "d": [{"e": 5}, 7]}, "x": true,
               "limited_by": {"category": "kv", "share": 0.5}})");
  CHECK(outcome.program == "1.2 (abc)");
  CHECK(outcome.figures.at("a.b") == 2);
  CHECK(outcome.figures.at("x") == 1);
  CHECK(outcome.figures.at("a.d.0.e") == 5);
  CHECK(outcome.figures.at("a.d.1") == 7);
  CHECK_FALSE(outcome.figures.contains("a.c"));
  CHECK(outcome.limited_by == "kv");
  CHECK(read_outcome("c", R"({"feasible": {"fits": false, "limits": [{"text": "too big"}]}})")
            .problem == "too big");
  CHECK_THROWS_AS((void)read_outcome("c", "{}"), ConfigError);
}

TEST_CASE("validation: every figure of the report leads to a cell that has a command") {
  Validation validation;
  Experiment experiment;
  experiment.id = "B1";
  experiment.tests = {example_test()};
  auto machine = std::make_shared<Machine>(4);
  std::map<std::string, CellOutcome> named;
  for (const Cell& cell : cells_of({experiment})) {
    named[cell.command] = (*machine)(cell.command);
    named[cell.command].cell = cell.name;
  }
  validation.entries = {judge(test::example_entry(1), experiment,
                              [&](const std::string& c) { return &named.at(c); })};
  validation.cells = cells_of({experiment});
  const auto json = nlohmann::json::parse(validation_json(validation));
  std::set<std::string> cells;
  for (const auto& cell : json["cells"]) cells.insert(cell["name"]);
  for (const auto& point : json["entries"][0]["tests"][0]["points"]) {
    CHECK(cells.contains(point["baseline"]["cell"]));
    for (const auto& treatment : point["treatments"]) CHECK(cells.contains(treatment["cell"]));
  }
  CHECK(json["entries"][0]["verdict"] == "conditional");
  validation.imports = {{"a", "llama", ""}, {"b", "", "why not"}};
  validation.model_configs = "some dir";
  validation.version = "1.2";
  validation.revision = "abc";
  const StoredValidation stored = read_stored("r", validation_json(validation));
  CHECK(stored.cells.size() == cells.size());
  REQUIRE(stored.imports.size() == 2);
  CHECK(stored.imports[0].model_type == "llama");
  CHECK(stored.imports[1].problem == "why not");
  CHECK(stored.model_configs == "some dir");
  CHECK(program_text(stored.version, stored.revision) == "1.2 (abc)");
  const std::string markdown = validation_markdown(validation);
  for (const auto& name : cells) CHECK(markdown.find("| " + name + " |") != std::string::npos);
}

TEST_CASE("plot: a mark for every figure, the claim behind them") {
  const TestResult result = judged(example_test(), 100);
  const std::string svg = plot_svg(result);
  std::size_t marks = 0;
  for (std::size_t at = 0; (at = svg.find("class=\"mark", at)) != std::string::npos; ++at) ++marks;
  CHECK(marks == 4 + 2);  // two points of two treatments, two of the legend
  CHECK(svg.find("class=\"claim\"") != std::string::npos);
  TestResult empty = result;
  for (auto& point : empty.points)
    for (auto& comparand : point.treatments) comparand.figure.reset();
  CHECK(plot_svg(empty).empty());
}
