// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include "sim/config/catalogue.hpp"
#include "sim/config/word_of.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle {

namespace {
constexpr Range<double> kAnyFigure{-1e18, 1e18};
constexpr Range<double> kPositive{1e-18, 1e18};

/// A path that it names is of a folder that was given, as others a file names.
void check_set(const ConfigNode& node, std::string_view at, const std::string& set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string::npos) node.fail(at, "expected key=value, got " + set);
  require_given_value(std::string_view{set}.substr(0, equals), set.substr(equals + 1),
                      node.position_of(at), at);
}

RunChoice read_choice(const ConfigNode& node) {
  RunChoice choice;
  for (const auto& [key, text] :
       {std::pair{"platform", &choice.platform}, std::pair{"llm", &choice.llm},
        std::pair{"workload", &choice.workload}, std::pair{"serving", &choice.serving}})
    if (node.has(key)) {
      *text = node.get<std::string>(key);
      require_given_value(key, *text, node.position_of(key), key);
    }
  choice.sets = node.texts("set");
  for (const std::string& set : choice.sets) check_set(node, "set", set);
  return choice;
}

/// What several tests of an experiment name: said once.
struct Named {
  std::vector<Arm> arms;
  std::vector<ConditionAxis> axes;
};

/// What `like` names; null without it.
template <class T>
const T* likeness(const ConfigNode& node, const std::vector<T>& named, const std::string& of) {
  if (!node.has("like")) return nullptr;
  const auto found = std::ranges::find(named, node.get<std::string>("like"), &T::name);
  node.check("like", found != named.end(), "must be one of this experiment's " + of);
  return &*found;
}

/// An arm of its own, or like one of `named`, whose keys come before its own.
Arm read_arm(const ConfigNode& node, const std::vector<Arm>& named) {
  const Arm* like = likeness(node, named, "arms");
  Arm arm = like != nullptr ? *like : Arm{};
  if (like == nullptr || node.has("name")) arm.name = node.get<std::string>("name");
  arm.what = node.get<std::string>("what", like != nullptr ? like->what : arm.name);
  arm.bound = node.get<bool>("bound", arm.bound);
  arm.choice = layered(std::move(arm.choice), read_choice(node));
  node.reject_unknown_keys();
  return arm;
}

/// Rates in even ratios, each of three digits, between two ends.
ConditionAxis read_search(const ConfigNode& node) {
  constexpr Range<double> kStep{1.01, 2};
  constexpr double kMostRange = 1e6;
  ConditionAxis axis{node.get<std::string>("name"), {}, /*search=*/true};
  const auto key = node.get<std::string>("key");
  node.check("key", !names_file(key), "names a file, no number");
  const auto from = node.get<double>("from", kPositive);
  const auto to = node.get<double>("to", kPositive);
  const auto step = node.get<double>("step", kStep);
  node.check("to", to > from && to <= kMostRange * from,
             "must be above from, a million times at most");
  for (double at = from; at <= to; at *= step) {
    ConditionPoint point{fmt::format("{:.3g}", at), {}};
    point.choice.sets.push_back(key + "=" + point.label);
    double value = 0;
    std::from_chars(point.label.data(), point.label.data() + point.label.size(), value);
    point.value = value;
    axis.points.push_back(std::move(point));
  }
  node.reject_unknown_keys();
  return axis;
}

/// `key` with `values`, or whole `points`, or like one of `named`.
ConditionAxis read_axis(const ConfigNode& node, const std::vector<ConditionAxis>& named) {
  if (const ConditionAxis* like = likeness(node, named, "axes")) {
    node.reject_unknown_keys();
    return *like;
  }
  ConditionAxis axis;
  axis.name = node.get<std::string>("name");
  if (node.has("key")) {
    const auto key = node.get<std::string>("key");
    for (const std::string& value : node.texts("values")) {
      ConditionPoint point{value, {}};
      point.choice.sets.push_back(key + "=" + value);
      check_set(node, "values", point.choice.sets.back());
      axis.points.push_back(std::move(point));
    }
  } else {
    for (const ConfigNode& child : node.sections("points")) {
      ConditionPoint point;
      point.label = child.get<std::string>("label");
      point.choice = read_choice(child);
      point.value = child.find<double>("figure", kAnyFigure);
      if (const auto arms = child.find_child("arms"))
        for (const std::string& name : arms->keys()) {
          const ConfigNode arm = arms->child(name);
          point.for_arms.emplace(name, read_choice(arm));
          arm.reject_unknown_keys();
        }
      child.reject_unknown_keys();
      axis.points.push_back(std::move(point));
    }
  }
  node.reject_unknown_keys();
  if (axis.points.empty()) node.fail("name", "an axis has at least one point");
  std::set<std::string> labels;
  for (const ConditionPoint& point : axis.points)
    if (!labels.insert(point.label).second) node.fail("name", point.label + " is there twice");
  return axis;
}

Metric read_metric(const ConfigNode& node) {
  Metric metric;
  metric.figure = node.get<std::string>("figure");
  metric.at = node.position_of("figure");
  metric.title = node.get<std::string>("title");
  metric.unit = node.get<std::string>("unit");
  metric.lower_is_better =
      word_of(node, "better", std::array<std::string_view, 2>{"higher", "lower"}) == 1;
  metric.scale = node.get<double>("scale", 1.0, kPositive);
  node.reject_unknown_keys();
  return metric;
}

OperatingLimit read_limit(const ConfigNode& node) {
  OperatingLimit limit;
  limit.figure = node.get<std::string>("figure");
  limit.at = node.position_of("figure");
  limit.relative_to = node.get<std::string>("relative_to", "");
  limit.at_most = node.find<double>("at_most", kAnyFigure);
  limit.at_least = node.find<double>("at_least", kAnyFigure);
  if (!limit.at_most && !limit.at_least) node.fail("figure", "expected at_most or at_least");
  node.reject_unknown_keys();
  return limit;
}

/// The range stands in the experiment too, so that whoever reads it sees what is tested, and must
/// be the entry's.
void read_claimed(const ConfigNode& node, const Entry& entry, ClaimTest& test) {
  if (!node.has("claim")) return;
  test.claim = node.get<std::string>("claim");
  const UnlockClaim* claim = entry.claim(test.claim);
  node.check("claim", claim != nullptr, "must be a claim of " + entry.id);
  const ConfigNode claimed = node.child("claimed");
  test.claimed.low = claimed.get<double>("low", kAnyFigure);
  test.claimed.high = claimed.get<double>("high", kAnyFigure);
  claimed.check("low", test.claimed.low == claim->low, "must be the entry's");
  claimed.check("high", test.claimed.high == claim->high, "must be the entry's");
  test.claimed.tolerance =
      claimed.get<double>("tolerance", test.claimed.tolerance, Range<double>{0, 0.5});
  claimed.reject_unknown_keys();
  test.claimed.at_least = claim->at_least;
  test.claim_unit = claim->unit;
}

void read_arms(const ConfigNode& node, const RunChoice& common, const std::vector<Arm>& named,
               ClaimTest& test) {
  const auto placed = [&](const ConfigNode& child) {
    Arm arm = read_arm(child, named);
    arm.shared = common;
    return arm;
  };
  if (test.form != Form::Figure) test.baseline = placed(node.child("baseline"));
  std::set<std::string> names;
  if (test.baseline) names.insert(test.baseline->name);
  for (const ConfigNode& child : node.sections("treatments")) {
    test.treatments.push_back(placed(child));
    child.check("name", names.insert(test.treatments.back().name).second, "is there twice");
  }
  if (std::ranges::all_of(test.treatments, &Arm::bound))
    node.fail("treatments", "expected one that is not a bound");
}

const Arm* arm_of(const ClaimTest& test, const std::string& name) {
  if (test.baseline && test.baseline->name == name) return &*test.baseline;
  const auto found = std::ranges::find(test.treatments, name, &Arm::name);
  return found == test.treatments.end() ? nullptr : &*found;
}

/// What a condition says for an arm alone it says for one that is there.
void check_point_arms(const ConfigNode& node, const ClaimTest& test) {
  const auto check = [&](const std::vector<ConditionAxis>& axes) {
    for (const ConditionAxis& axis : axes)
      for (const ConditionPoint& point : axis.points)
        for (const auto& [name, choice] : point.for_arms)
          if (arm_of(test, name) == nullptr)
            node.fail("conditions", "expected arms of the test, got " + name);
  };
  check(test.conditions);
  if (test.choose) check({*test.choose});
}

/// Every combination of conditions, arm and operating point is a run.
void check_size(const ConfigNode& node, const ClaimTest& test) {
  constexpr std::size_t kMostRuns = 10'000;
  std::size_t runs = test.treatments.size() + (test.baseline ? 1 : 0);
  if (test.choose) runs *= test.choose->points.size();
  for (const ConditionAxis& axis : test.conditions) {
    if (runs > kMostRuns) break;
    runs *= axis.points.size();
  }
  if (runs > kMostRuns)
    node.fail(test.conditions.empty() ? "treatments" : "conditions",
              "ask for more than " + std::to_string(kMostRuns) + " runs");
}

/// Operating points, all of them or to be searched, and the limits they are to keep.
void read_operating_points(const ConfigNode& node, const Named& named, ClaimTest& test) {
  if (const auto child = node.find_child("choose"))
    test.choose = child->has("from") ? read_search(*child) : read_axis(*child, named.axes);
  if (node.has("within"))
    for (const ConfigNode& child : node.sections("within")) {
      test.within.push_back(read_limit(child));
      const std::string& other = test.within.back().relative_to;
      child.check("relative_to", other.empty() || arm_of(test, other) != nullptr,
                  "must be an arm of the test");
      child.check("relative_to", other.empty() || !test.choose || !test.choose->search,
                  "an arm that is searched for itself has no such limit");
    }
  if (!test.choose || !test.choose->search) return;
  if (test.within.empty())
    node.fail("choose", "a search is for the last that keeps limits: expected within");
  if (test.metric.lower_is_better)
    node.fail("choose",
              "a search is for the largest figure: expected a metric that is better higher");
}

ClaimTest read_test(const ConfigNode& node, const RunChoice& common, const Named& named,
                    const Entry& entry) {
  ClaimTest test;
  test.id = node.get<std::string>("id");
  test.title = node.get<std::string>("title");
  test.form = static_cast<Form>(word_of(node, "form", kForms));
  test.metric = read_metric(node.child("metric"));
  read_claimed(node, entry, test);
  test.claimed.is_price = test.form == Form::LossPercent;
  read_arms(node, layered(common, read_choice(node)), named.arms, test);
  if (node.has("conditions"))
    for (const ConfigNode& child : node.sections("conditions"))
      test.conditions.push_back(read_axis(child, named.axes));
  read_operating_points(node, named, test);
  check_point_arms(node, test);
  check_size(node, test);
  const bool by_value = test.metric.figure == kOperatingPointValue;
  if (by_value && (!test.choose || std::ranges::any_of(test.choose->points, [](const auto& point) {
        return !point.value;
      })))
    node.fail("choose", "every operating point needs its figure, as that is the metric");
  node.reject_unknown_keys();
  return test;
}

/// A test by its id, a treatment of it, an axis of it and labels of that.
Refutation read_refutation(const ConfigNode& node, const std::vector<ClaimTest>& tests) {
  Refutation out;
  out.test = node.get<std::string>("test");
  const auto test = std::ranges::find(tests, out.test, &ClaimTest::id);
  node.check("test", test != tests.end(), "must be a test of this experiment");
  out.arm = node.get<std::string>("arm", "");
  const bool there = std::ranges::count(test->treatments, out.arm, &Arm::name) > 0;
  node.check("arm", out.arm.empty() || there, "must be a treatment of the test");
  out.everywhere = word_of(node, "points", std::array<std::string_view, 2>{"every", "some"}) == 0;
  out.below = node.find<double>("below", kAnyFigure);
  out.from = node.find<double>("at_least", kAnyFigure);
  if (!out.below == !out.from) node.fail("test", "expected either below or at_least");
  if (node.has("where"))
    for (const ConfigNode& where : node.sections("where")) {
      Refutation::Labels only{where.get<std::string>("axis"), where.texts("labels")};
      const auto axis = std::ranges::find(test->conditions, only.axis, &ConditionAxis::name);
      where.check("axis", axis != test->conditions.end(), "must be an axis of the test");
      for (const std::string& label : only.labels)
        if (std::ranges::count(axis->points, label, &ConditionPoint::label) == 0)
          where.fail("labels", "must be labels of the axis, got " + label);
      if (only.labels.empty()) where.fail("labels", "expected at least one");
      where.reject_unknown_keys();
      out.where.push_back(std::move(only));
    }
  node.reject_unknown_keys();
  return out;
}

Interval read_interval(const ConfigNode& node) {
  const Interval range{node.get<double>("low", kPositive), node.get<double>("high", kPositive)};
  node.check("high", range.low <= range.high, "must be at least low");
  return range;
}

Arithmetic read_arithmetic(const ConfigNode& node) {
  Arithmetic arithmetic;
  const auto named = [&](const ConfigNode& child) {
    IntervalStep step;
    step.name = child.get<std::string>("name");
    child.check("name", arithmetic.find(step.name) == nullptr, "is there twice");
    step.unit = child.get<std::string>("unit");
    step.at = child.position_of("name");
    return step;
  };
  for (const ConfigNode& child : node.sections("inputs")) {
    IntervalStep step = named(child);
    step.range = read_interval(child);
    step.source = child.get<std::string>("source");
    child.reject_unknown_keys();
    arithmetic.steps.push_back(std::move(step));
  }
  for (const ConfigNode& child : node.sections("steps")) {
    IntervalStep step = named(child);
    step.op = static_cast<IntervalOp>(
        word_of(child, "op", std::array<std::string_view, 3>{"sum", "product", "quotient"}));
    step.of = child.texts("of");
    if (step.of.size() < 2) child.fail("of", "expected at least two names");
    child.reject_unknown_keys();
    arithmetic.steps.push_back(std::move(step));
  }
  if (node.has("stated"))
    for (const ConfigNode& child : node.sections("stated")) {
      StatedInterval stated;
      stated.name = child.get<std::string>("name");
      stated.range = read_interval(child);
      stated.source = child.get<std::string>("source");
      child.reject_unknown_keys();
      arithmetic.stated.push_back(std::move(stated));
    }
  node.reject_unknown_keys();
  work_out(arithmetic);
  return arithmetic;
}

const Entry& entry_of(const ConfigNode& root, const std::vector<Entry>& entries) {
  const auto id = root.get<std::string>("id");
  const auto entry = std::ranges::find(entries, id, &Entry::id);
  root.check("id", entry != entries.end(), "must be an entry of the registry");
  return *entry;
}

Named read_named(const ConfigNode& root) {
  Named named;
  const auto new_name = [](const ConfigNode& node, const auto& items) {
    const auto same = [&](const auto& item) { return item.name == items.back().name; };
    node.check("name", std::ranges::count_if(items, same) == 1, "is there twice");
  };
  if (root.has("arms"))
    for (const ConfigNode& node : root.sections("arms")) {
      named.arms.push_back(read_arm(node, named.arms));
      new_name(node, named.arms);
    }
  if (root.has("axes"))
    for (const ConfigNode& node : root.sections("axes")) {
      named.axes.push_back(read_axis(node, {}));
      new_name(node, named.axes);
    }
  return named;
}

Experiment read_tree(ConfigTree tree, const std::string& label, const std::vector<Entry>& entries) {
  ResolvedValues log;
  const ConfigNode root{std::make_shared<const ConfigTree>(std::move(tree)), log};
  const Entry& entry = entry_of(root, entries);
  Experiment experiment;
  experiment.id = entry.id;
  experiment.file = label;
  experiment.hypothesis = root.get<std::string>("hypothesis");
  experiment.falsifier = root.get<std::string>("falsifier");
  const RunChoice common = read_choice(root);
  const Named named = read_named(root);
  if (root.has("tests"))
    for (const ConfigNode& node : root.sections("tests")) {
      experiment.tests.push_back(read_test(node, common, named, entry));
      const auto same = [&](const auto& test) { return test.id == experiment.tests.back().id; };
      node.check("id", std::ranges::count_if(experiment.tests, same) == 1, "is there twice");
    }
  if (const auto node = root.find_child("arithmetic"))
    experiment.arithmetic = read_arithmetic(*node);
  experiment.importer = root.get<bool>("importer", false);
  experiment.needs = root.texts("needs");
  experiment.notes = root.texts("notes");
  const bool judged =
      std::ranges::any_of(experiment.tests, [](const auto& test) { return !test.claim.empty(); });
  if (!judged && experiment.needs.empty())
    root.fail("needs", "an experiment tests a claim, or says what it would need");
  if (root.has("refuted_if"))
    for (const ConfigNode& node : root.sections("refuted_if"))
      experiment.refuted_if.push_back(read_refutation(node, experiment.tests));
  if (judged && experiment.refuted_if.empty())
    root.fail("refuted_if", "an experiment that tests a claim says over figures what refutes it");
  root.reject_unknown_keys();
  return experiment;
}
}  // namespace

RunChoice layered(RunChoice under, const RunChoice& over) {
  for (const auto member :
       {&RunChoice::platform, &RunChoice::llm, &RunChoice::workload, &RunChoice::serving})
    if (!(over.*member).empty()) under.*member = over.*member;
  under.sets.insert(under.sets.end(), over.sets.begin(), over.sets.end());
  return under;
}

Experiment read_experiment(const std::filesystem::path& path, const std::string& label,
                           const std::vector<Entry>& entries) {
  return read_tree(read_yaml(path, label), label, entries);
}

Experiment parse_experiment(std::string_view text, const std::string& label,
                            const std::vector<Entry>& entries) {
  return read_tree(parse_yaml(text, label), label, entries);
}

std::vector<std::vector<std::size_t>> points_of(const std::vector<ConditionAxis>& axes) {
  std::vector<std::vector<std::size_t>> points{{}};
  for (const ConditionAxis& axis : axes) {
    std::vector<std::vector<std::size_t>> longer;
    for (const auto& point : points)
      for (std::size_t i = 0; i < axis.points.size(); ++i) {
        longer.push_back(point);
        longer.back().push_back(i);
      }
    points = std::move(longer);
  }
  return points;
}

}  // namespace reticle
