// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/config/json_document.hpp"
#include "sim/config/nearest.hpp"
#include "sim/registry/number_text.hpp"

namespace reticle {

namespace {
using Json = nlohmann::json;
constexpr double kPercent = 100;

/// As a shell takes it for one word.
std::string shell_word(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view{"=._-/,:+"}.find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !text.empty()) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string file_word(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
  return out;
}

RunChoice at_point(const ClaimTest& test, const std::vector<std::size_t>& point) {
  RunChoice choice;
  for (std::size_t a = 0; a < point.size(); ++a)
    choice = layered(std::move(choice), test.conditions[a].points[point[a]].choice);
  return choice;
}

std::vector<std::string> labels_of(const ClaimTest& test, const std::vector<std::size_t>& point) {
  std::vector<std::string> labels;
  for (std::size_t a = 0; a < point.size(); ++a)
    labels.push_back(test.conditions[a].points[point[a]].label);
  return labels;
}

RunChoice for_arm(const ConditionPoint& point, const Arm& arm) {
  const auto found = point.for_arms.find(arm.name);
  return found == point.for_arms.end() ? RunChoice{} : found->second;
}

/// The runs of an arm at a point: one, or one per operating point. Later layers win: what all share
/// (already in the arm), the point's conditions, the operating point, the arm's own keys, what
/// these say for it alone.
struct ArmRun {
  std::string operating_point;
  std::size_t option = 0;  ///< its place among the operating points
  RunChoice choice;
  std::optional<double> value{};  ///< the operating point's
};
std::vector<ArmRun> runs_of(const ClaimTest& test, const Arm& arm,
                            const std::vector<std::size_t>& point) {
  const RunChoice there = layered(arm.shared, at_point(test, point));
  const auto own = [&](RunChoice choice, const ConditionPoint* option) {
    choice = layered(std::move(choice), arm.choice);
    for (std::size_t a = 0; a < point.size(); ++a)
      choice = layered(std::move(choice), for_arm(test.conditions[a].points[point[a]], arm));
    return option != nullptr ? layered(std::move(choice), for_arm(*option, arm)) : choice;
  };
  if (!test.choose) return {{"", 0, own(there, nullptr)}};
  std::vector<ArmRun> runs;
  for (const ConditionPoint& option : test.choose->points)
    runs.push_back(
        {option.label, runs.size(), own(layered(there, option.choice), &option), option.value});
  return runs;
}

std::vector<const Arm*> arms_of(const ClaimTest& test) {
  std::vector<const Arm*> arms;
  if (test.baseline) arms.push_back(&*test.baseline);
  for (const Arm& arm : test.treatments) arms.push_back(&arm);
  return arms;
}

std::string cell_name(const Experiment& experiment, const ClaimTest& test, const Arm& arm,
                      const std::vector<std::string>& labels, const std::string& operating_point) {
  std::string name = experiment.id + "." + test.id + "." + arm.name;
  for (const std::string& label : labels) name += "." + file_word(label);
  if (!operating_point.empty()) name += "." + file_word(operating_point);
  return name;
}

std::optional<double> figure_of(const CellOutcome& outcome, const std::string& path) {
  const auto found = outcome.figures.find(path);
  return found == outcome.figures.end() ? std::nullopt : std::optional{found->second};
}

const Arm& arm_named(const ClaimTest& test, const std::string& name) {
  for (const Arm* arm : arms_of(test))
    if (arm->name == name) return *arm;
  throw InvariantError("a limit names an arm of its test");
}

/// One arm at one point at one operating point.
struct Place {
  const ClaimTest& test;
  const std::vector<std::size_t>& point;
  std::size_t option;  ///< its place among them
  const Outcomes& outcomes;
};

const CellOutcome& outcome_of(const Outcomes& outcomes, const std::string& command) {
  if (const CellOutcome* outcome = outcomes(command)) return *outcome;
  throw InvariantError("what is judged has been run: " + command);
}

/// The figure a limit is on; null, and why, where there is none.
std::optional<double> limited_figure(const OperatingLimit& limit, const CellOutcome& outcome,
                                     const Place& place, std::string& why) {
  const auto figure = figure_of(outcome, limit.figure);
  if (!figure) why = "the report says nothing of " + limit.figure;
  if (!figure || limit.relative_to.empty()) return figure;
  const Arm& arm = arm_named(place.test, limit.relative_to);
  const ArmRun run = runs_of(place.test, arm, place.point)[place.option];
  const auto other = figure_of(outcome_of(place.outcomes, command_of(run.choice)), limit.figure);
  if (!other || *other == 0) {
    why = limit.relative_to + " has no " + limit.figure;
    return std::nullopt;
  }
  return *figure / *other;
}

/// Why an operating point does not count; empty when it does.
std::string refusal(const CellOutcome& outcome, const Place& place) {
  if (!outcome.problem.empty()) return outcome.problem;
  for (const OperatingLimit& limit : place.test.within) {
    std::string why;
    const auto figure = limited_figure(limit, outcome, place, why);
    if (!figure) return why;
    const std::string what =
        limit.relative_to.empty() ? limit.figure : limit.figure + " over " + limit.relative_to;
    if (limit.at_most && *figure > *limit.at_most)
      return fmt::format("{} is {:.4g}, at most {:.4g} counts", what, *figure, *limit.at_most);
    if (limit.at_least && *figure < *limit.at_least)
      return fmt::format("{} is {:.4g}, at least {:.4g} counts", what, *figure, *limit.at_least);
  }
  return {};
}

ArmResult result_of(const ArmRun& run, const Place& place) {
  const ClaimTest& test = place.test;
  ArmResult result;
  result.command = command_of(run.choice);
  const CellOutcome& outcome = outcome_of(place.outcomes, result.command);
  result.cell = outcome.cell;
  result.operating_point = run.operating_point;
  result.limited_by = outcome.limited_by;
  result.limited_share = outcome.limited_share;
  result.problem = refusal(outcome, place);
  if (!result.problem.empty()) return result;
  const auto figure = test.metric.figure == kOperatingPointValue
                          ? run.value
                          : figure_of(outcome, test.metric.figure);
  if (figure)
    result.value = *figure * test.metric.scale;
  else
    result.problem = "the report says nothing of " + test.metric.figure;
  return result;
}

/// How far a search has come.
struct Search {
  std::vector<std::size_t> tried;  ///< operating points, in order; the last may not have been run
  std::size_t kept = 0;            ///< so many from the first, so far: the last of them was tried
};

/// Bisection between two operating points next to each other, the lower of which keeps the limits
/// and the upper one does not. Ends early at one whose outcome is not known.
Search search(const ClaimTest& test, const std::vector<ArmRun>& runs,
              const std::vector<std::size_t>& point, const Outcomes& outcomes) {
  Search out;
  std::size_t lost = runs.size() + 1;  // as `kept` counts
  while (lost - out.kept > 1) {
    const std::size_t middle = (out.kept + lost) / 2;
    const std::size_t option = middle - 1;
    out.tried.push_back(option);
    const CellOutcome* outcome = outcomes(command_of(runs[option].choice));
    if (outcome == nullptr) break;
    (refusal(*outcome, {test, point, option, outcomes}).empty() ? out.kept : lost) = middle;
  }
  return out;
}

/// All runs of an arm at a point, or those that its search has come to.
std::vector<ArmRun> runs_asked(const ClaimTest& test, const Arm& arm,
                               const std::vector<std::size_t>& point, const Outcomes& outcomes) {
  std::vector<ArmRun> runs = runs_of(test, arm, point);
  if (!test.choose || !test.choose->search) return runs;
  std::vector<ArmRun> asked;
  for (const std::size_t option : search(test, runs, point, outcomes).tried)
    asked.push_back(runs[option]);
  return asked;
}

/// The last operating point that keeps the limits, or else the first, which does not.
ArmResult found_of(const ClaimTest& test, const std::vector<ArmRun>& runs,
                   const std::vector<std::size_t>& point, const Outcomes& outcomes) {
  const std::size_t kept = search(test, runs, point, outcomes).kept;
  const std::size_t option = kept == 0 ? 0 : kept - 1;
  ArmResult result = result_of(runs[option], {test, point, option, outcomes});
  if (!result.value || kept == runs.size()) return result;
  result.next_point = runs[kept].operating_point;
  result.most = *result.value * *runs[kept].value / *runs[option].value;
  return result;
}

ArmResult best_of(const ClaimTest& test, const Arm& arm, const std::vector<std::size_t>& point,
                  const Outcomes& outcomes) {
  const std::vector<ArmRun> runs = runs_of(test, arm, point);
  if (test.choose && test.choose->search) return found_of(test, runs, point, outcomes);
  std::optional<ArmResult> best;
  for (const ArmRun& run : runs) {
    ArmResult result = result_of(run, {test, point, run.option, outcomes});
    const bool better = !best || (result.value && !best->value) ||
                        (result.value && best->value &&
                         (test.metric.lower_is_better ? *result.value < *best->value
                                                      : *result.value > *best->value));
    if (better) best = std::move(result);
  }
  return *best;
}

/// In the claim's terms.
std::optional<double> figure_of(const ClaimTest& test, const std::optional<double>& before,
                                double after) {
  if (test.form == Form::Figure) return after;
  if (!before || *before == 0) return std::nullopt;
  if (test.metric.lower_is_better && after == 0) return std::nullopt;
  const double gain = test.metric.lower_is_better ? *before / after : after / *before;
  switch (test.form) {
    case Form::GainPercent:
      return kPercent * (gain - 1);
    case Form::SavingPercent:
      return kPercent * (1 - 1 / gain);
    case Form::LossPercent:
      return kPercent * (1 - gain);
    default:
      return gain;
  }
}

Comparand compared(const ClaimTest& test, const std::optional<ArmResult>& baseline, ArmResult arm) {
  Comparand out;
  const std::optional<double> before = baseline ? baseline->value : std::nullopt;
  if (arm.value) {
    out.figure = figure_of(test, before, *arm.value);
    // Where only the treatment works, no number says how much better it is.
    out.standing = out.figure ? standing_of(*out.figure, test.claimed) : Standing::Better;
    if (arm.most || (baseline && baseline->most)) {
      out.low = figure_of(test, baseline ? baseline->most : std::nullopt, *arm.value);
      out.high = figure_of(test, before, arm.most.value_or(*arm.value));
    }
  } else if (before || !baseline) {
    out.standing = Standing::Worse;
  }
  if (test.claim.empty()) out.standing.reset();
  out.arm = std::move(arm);
  return out;
}

/// Less is better of the figure, in the claim's terms.
bool less_is_better(const ClaimTest& test) {
  return test.form == Form::LossPercent ||
         (test.form == Form::Figure && test.metric.lower_is_better);
}

/// A remedy at a point is better than another: it works, by figure, by standing.
bool better(const ClaimTest& test, const Comparand& a, const Comparand& b) {
  if (a.figure && b.figure)
    return less_is_better(test) ? *a.figure < *b.figure : *a.figure > *b.figure;
  if (a.standing != b.standing) return a.standing > b.standing;  // none is least
  return a.figure && !b.figure;  // one that runs over one that does not
}

TestedPoint at(const ClaimTest& test, const std::vector<std::size_t>& point,
               const Outcomes& outcomes) {
  TestedPoint result;
  result.labels = labels_of(test, point);
  if (test.baseline) result.baseline = best_of(test, *test.baseline, point, outcomes);
  for (const Arm& arm : test.treatments)
    result.treatments.push_back(
        compared(test, result.baseline, best_of(test, arm, point, outcomes)));
  for (std::size_t t = 0; t < result.treatments.size(); ++t)
    if (!test.treatments[t].bound &&
        (result.treatments[t].standing || result.treatments[t].figure) &&
        (!result.best || better(test, result.treatments[t], result.treatments[*result.best])))
      result.best = t;
  return result;
}

std::vector<std::string> axis_names(const ClaimTest& test) {
  std::vector<std::string> names;
  for (const ConditionAxis& axis : test.conditions) names.push_back(axis.name);
  return names;
}

/// Of one comparand per point, as `pick` chooses it; points without one say nothing.
template <class Pick>
Judgement judgement_of(const ClaimTest& test, const std::vector<TestedPoint>& points, Pick pick) {
  Judgement judgement;
  std::vector<ConditionResult> results;
  for (const TestedPoint& point : points) {
    const Comparand* chosen = pick(point);
    if (chosen == nullptr) continue;
    if (chosen->standing) results.push_back({point.labels, *chosen->standing});
    if (!chosen->figure) continue;
    judgement.low = std::min(judgement.low.value_or(*chosen->figure), *chosen->figure);
    judgement.high = std::max(judgement.high.value_or(*chosen->figure), *chosen->figure);
  }
  if (test.claim.empty()) return judgement;
  judgement.verdict = verdict_of(results);
  judgement.condition = condition_of(axis_names(test), results);
  return judgement;
}

/// What limits most often; the first in the alphabet of equals.
std::string most_frequent(const std::map<std::string, int>& counts) {
  std::string most;
  int times = 0;
  for (const auto& [what, count] : counts)
    if (count > times) {
      most = what;
      times = count;
    }
  return most;
}

void note_limits(TestResult& result) {
  std::map<std::string, int> before, after;
  for (const TestedPoint& point : result.points) {
    if (point.baseline && point.baseline->value) ++before[point.baseline->limited_by];
    if (point.best && point.treatments[*point.best].arm.value)
      ++after[point.treatments[*point.best].arm.limited_by];
  }
  result.bound_before = most_frequent(before);
  result.bound_after = most_frequent(after);
}

void flatten(const Json& node, const std::string& path, CellOutcome& out) {
  if (node.is_number()) out.figures[path] = node.get<double>();
  if (node.is_boolean()) out.figures[path] = node.get<bool>() ? 1 : 0;
  if (node.is_null()) out.without_value.push_back(path);
  if (!node.is_structured()) return;
  for (const auto& [key, value] : node.items())  // of a list: its index
    flatten(value, path.empty() ? key : path + "." + key, out);
}

/// Where a remedy does not run its figure is the worst there is; where it alone runs, the best.
std::optional<double> figure_to_refute(const ClaimTest& test, const Comparand& comparand) {
  if (comparand.figure || !comparand.standing) return comparand.figure;
  constexpr double kMost = std::numeric_limits<double>::infinity();
  const bool good = *comparand.standing == Standing::Better;
  return good == less_is_better(test) ? -kMost : kMost;
}

RefutationResult evaluated(const Refutation& refutation, const std::vector<TestResult>& tests) {
  const TestResult& result = *std::ranges::find_if(
      tests, [&](const TestResult& t) { return t.test.id == refutation.test; });
  const ClaimTest& test = result.test;
  RefutationResult out{.refutation = refutation, .title = test.title, .unit = unit_of(test)};
  const auto treatment = static_cast<std::size_t>(
      std::ranges::find(test.treatments, refutation.arm, &Arm::name) - test.treatments.begin());
  const auto looked_at = [&](const TestedPoint& point) {
    return std::ranges::all_of(refutation.where, [&](const Refutation::Labels& only) {
      const auto axis = std::ranges::find(test.conditions, only.axis, &ConditionAxis::name);
      const auto place = static_cast<std::size_t>(axis - test.conditions.begin());
      return std::ranges::count(only.labels, point.labels[place]) > 0;
    });
  };
  for (const TestedPoint& point : result.points) {
    if (!looked_at(point)) continue;
    const std::optional<std::size_t> which =
        refutation.arm.empty() ? point.best : std::optional{treatment};
    const auto figure = which ? figure_to_refute(test, point.treatments[*which]) : std::nullopt;
    if (!figure) continue;
    ++out.of;
    out.holds += refutation.below ? *figure < *refutation.below : *figure >= *refutation.from;
  }
  out.came_true = refutation.everywhere ? out.of > 0 && out.holds == out.of : out.holds > 0;
  return out;
}
}  // namespace

std::string command_of(const RunChoice& choice) {
  std::string command = "reticle run";
  for (const auto& [option, value] :
       {std::pair{"platform", &choice.platform}, std::pair{"llm", &choice.llm},
        std::pair{"workload", &choice.workload}, std::pair{"serving", &choice.serving}})
    if (!value->empty()) command += fmt::format(" --{} {}", option, shell_word(*value));
  for (const std::string& set : choice.sets) command += " --set " + shell_word(set);
  return command;
}

std::vector<Cell> cells_of(const std::vector<Experiment>& experiments, const Outcomes& outcomes) {
  std::vector<Cell> cells;
  std::set<std::string> asked;
  for (const Experiment& experiment : experiments)
    for (const ClaimTest& test : experiment.tests)
      for (const auto& point : points_of(test.conditions))
        for (const Arm* arm : arms_of(test))
          for (ArmRun& run : runs_asked(test, *arm, point, outcomes)) {
            std::string command = command_of(run.choice);
            if (!asked.insert(command).second) continue;
            cells.push_back(
                {cell_name(experiment, test, *arm, labels_of(test, point), run.operating_point),
                 std::move(command), std::move(run.choice)});
          }
  return cells;
}

CellOutcome read_outcome(const std::string& cell, std::string_view report) {
  CellOutcome outcome;
  outcome.cell = cell;
  try {
    const Json json = parse_json(report, cell);
    outcome.program =
        program_text(json.value("reticle_version", ""), json.value("git_revision", ""));
    if (!json.at("feasible").at("fits").get<bool>()) {
      const Json& limits = json.at("feasible").at("limits");
      outcome.problem =
          limits.empty() ? "does not fit" : limits.at(0).at("text").get<std::string>();
      outcome.limited_by = "capacity";
      return outcome;
    }
    flatten(json, "", outcome);
    if (const Json& limited = json.at("limited_by"); limited.is_object()) {
      outcome.limited_by = limited.at("category").get<std::string>();
      outcome.limited_share = limited.at("share").get<double>();
    }
  } catch (const Json::exception& error) {
    throw ConfigError({cell, 0, 0}, "", std::string{"not the report of a run: "} + error.what());
  }
  return outcome;
}

std::map<std::string, std::vector<FigureAsked>> figures_asked(
    const std::vector<Experiment>& experiments) {
  std::map<std::string, std::vector<FigureAsked>> asked;
  for (const Experiment& experiment : experiments)
    for (const ClaimTest& test : experiment.tests)
      for (const auto& point : points_of(test.conditions))
        for (const Arm* arm : arms_of(test))
          for (const ArmRun& run : runs_of(test, *arm, point)) {
            auto& of = asked[command_of(run.choice)];
            if (test.metric.figure != kOperatingPointValue)
              of.push_back({test.metric.figure, test.metric.at});
            for (const OperatingLimit& limit : test.within) of.push_back({limit.figure, limit.at});
          }
  return asked;
}

void require_figures(const CellOutcome& outcome, const std::vector<FigureAsked>& asked) {
  if (!outcome.problem.empty()) return;
  for (const FigureAsked& ask : asked) {
    // Part of the report says null as a whole where the run had nothing of the kind.
    const bool without = std::ranges::any_of(outcome.without_value, [&](const std::string& path) {
      return ask.figure == path || ask.figure.starts_with(path + ".");
    });
    if (without || outcome.figures.contains(ask.figure)) continue;
    std::vector<std::string> names;
    for (const auto& [name, figure] : outcome.figures) names.push_back(name);
    throw ConfigError(ask.at, "figure",
                      "the report of a run has no " + ask.figure + did_you_mean(ask.figure, names));
  }
}

TestResult judge(const ClaimTest& test, const Outcomes& outcomes) {
  TestResult result;
  result.test = test;
  for (const auto& point : points_of(test.conditions))
    result.points.push_back(at(test, point, outcomes));
  result.overall = judgement_of(test, result.points, [](const TestedPoint& point) {
    return point.best ? &point.treatments[*point.best] : nullptr;
  });
  for (std::size_t t = 0; t < test.treatments.size(); ++t)
    result.treatments.push_back(judgement_of(
        test, result.points, [t](const TestedPoint& point) { return &point.treatments[t]; }));
  note_limits(result);
  return result;
}

EntryResult judge(const Entry& entry, const Experiment& experiment, const Outcomes& outcomes) {
  EntryResult result;
  result.entry = entry;
  result.experiment = experiment;
  std::vector<RegistryVerdict> verdicts;
  for (const ClaimTest& test : experiment.tests) {
    result.tests.push_back(judge(test, outcomes));
    if (test.claim.empty()) continue;
    const TestResult& judged = result.tests.back();
    verdicts.push_back(*judged.overall.verdict);
    result.conditions.push_back(
        judged.overall.condition.empty()
            ? fmt::format("{}: {}", test.title, name_of(*judged.overall.verdict))
            : fmt::format("{}: holds {}", test.title, judged.overall.condition));
  }
  for (const Refutation& refutation : experiment.refuted_if) {
    result.refutations.push_back(evaluated(refutation, result.tests));
  }
  result.refuted = !result.refutations.empty() &&
                   std::ranges::all_of(result.refutations, &RefutationResult::came_true);
  result.verdict = concluded(combined(verdicts), result.refuted);
  return result;
}

std::string program_text(const std::string& version, const std::string& revision) {
  return fmt::format("{} ({})", version, revision);
}

std::string computing_command(const EntryResult& result, const Validation& validation) {
  const Experiment& experiment = result.experiment;
  if (!experiment.arithmetic && !experiment.importer) return {};
  std::string command = "reticle registry validate " + result.entry.id + " --json";
  if (experiment.importer && !validation.model_configs.empty())
    command += " --model-configs " + shell_word(validation.model_configs);
  return command;
}

StoredValidation read_stored(const std::string& label, std::string_view json) {
  StoredValidation stored;
  try {
    const Json document = parse_json(json, label);
    for (const Json& cell : document.at("cells"))
      stored.cells.emplace(cell.at("command").get<std::string>(),
                           cell.at("name").get<std::string>());
    const auto text = [](const Json& item) {
      return item.is_null() ? std::string{} : item.get<std::string>();
    };
    for (const Json& config : document.at("imports"))
      stored.imports.push_back({config.at("name").get<std::string>(), text(config.at("model_type")),
                                text(config.at("problem"))});
    stored.model_configs = text(document.at("model_configs"));
    stored.version = document.at("reticle_version").get<std::string>();
    stored.revision = document.at("git_revision").get<std::string>();
  } catch (const Json::exception& error) {
    throw ConfigError({label, 0, 0}, "",
                      std::string{"not what reticle registry validate writes: "} + error.what());
  }
  return stored;
}

}  // namespace reticle
