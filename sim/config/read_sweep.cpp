// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "sim/config/catalogue.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/nearest.hpp"
#include "sim/config/sweep_figures.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle {

template <>
struct EnumTable<DesignKind> {
  static constexpr std::array<EnumName<DesignKind>, 5> names{
      {{"grid", DesignKind::Grid},
       {"latin-hypercube", DesignKind::LatinHypercube},
       {"sobol", DesignKind::Sobol},
       {"saltelli", DesignKind::Saltelli},
       {"pareto", DesignKind::Pareto}}};
};

const SweepFigure* find_sweep_figure(std::string_view name) {
  const auto same = [&](const SweepFigure& figure) { return figure.name == name; };
  if (const auto f = std::ranges::find_if(kSweepFigures, same); f != kSweepFigures.end()) return f;
  if (const auto f = std::ranges::find_if(kSweepFacts, same); f != kSweepFacts.end()) return f;
  return nullptr;
}

namespace {
constexpr std::int64_t kMostSteps = 1000;        ///< of one axis
constexpr std::int64_t kMostPoints = 1'000'000;  ///< of a design
constexpr std::size_t kMostColumns = 10;         ///< Saltelli's matrices need two dimensions each
constexpr double kLeastSeconds = 0.001;          ///< of a point: the clock's resolution
constexpr double kMostSeconds = 7 * 86'400.0;    ///< of a point: longer is a mistake
constexpr Range<double> kFigure{-1e18, 1e18};
/// Names of `feasible.limits` of a report (sim/metrics/findings.hpp); a test compares them.
constexpr std::array<std::string_view, 5> kBreakable{"power", "heat_flux", "die_area", "price",
                                                     "rejected"};
constexpr std::array<std::string_view, 4> kNames{"platform", "llm", "workload", "serving"};

[[noreturn]] void fail(const ConfigNode& node, std::string_view key, const std::string& problem) {
  node.fail(key, problem);
}

Expression read_expression(const ConfigNode& node, std::string_view key, const std::string& text) {
  Parsed<Expression> parsed = Expression::parse(text);
  if (!parsed.value) fail(node, key, parsed.problem + ", in '" + text + "'");
  return std::move(*parsed.value);
}
Expression read_expression(const ConfigNode& node, std::string_view key) {
  return read_expression(node, key, node.get<std::string>(key));
}

/// `from` to `to`, both included, in `steps` values.
void read_span(const ConfigNode& node, bool log, SweepAxis& axis) {
  SweepSpan span;
  span.low = node.get<double>("from", kFigure);
  span.high = node.get<double>("to", kFigure);
  span.log = log;
  span.whole = node.get<bool>("whole", false);
  span.unit = node.get<std::string>("unit", "");
  const auto steps = node.get<std::int64_t>("steps", Range<std::int64_t>{2, kMostSteps});
  node.check("to", span.high > span.low, "must be above from");
  node.check("from", !log || span.low > 0, "must be above 0 on a log range");
  node.reject_unknown_keys();
  std::vector<std::string>& values = axis.columns.front().values;
  for (std::int64_t i = 0; i < steps; ++i) {
    std::string text =
        text_of(span, value_at(span, static_cast<double>(i) / static_cast<double>(steps - 1)));
    if (values.empty() || values.back() != text) values.push_back(std::move(text));
  }
  axis.span = span;
}

SweepColumn read_column(const ConfigNode& node) {
  SweepColumn column;
  column.variable = node.has("variable");
  column.key = node.get<std::string>(column.variable ? "variable" : "key");
  if (node.has("values")) column.values = node.texts("values");
  return column;
}

void check_values(const ConfigNode& node, const SweepColumn& column) {
  std::set<std::string> seen;
  for (const auto& value : column.values)
    if (!seen.insert(value).second) fail(node, "values", "'" + value + "' is listed twice");
  if (column.values.empty()) fail(node, "values", "expected one value at least");
}

SweepAxis read_axis(const ConfigNode& node) {
  SweepAxis axis;
  const bool zip = node.has("zip");
  const std::int64_t forms = std::int64_t{zip} + std::int64_t{node.has("values")} +
                             std::int64_t{node.has("range")} + std::int64_t{node.has("log")};
  if (forms != 1) fail(node, "key", "expected one of values, range, log, zip");
  if (zip) {
    for (const ConfigNode& column : node.sections("zip")) {
      axis.columns.push_back(read_column(column));
      column.reject_unknown_keys();
    }
    if (axis.columns.size() < 2) fail(node, "zip", "expected two keys at least");
    for (const SweepColumn& column : axis.columns)
      if (column.values.size() != axis.size() || column.values.empty())
        fail(node, "zip",
             "expected as many values for " + column.key + " as for " + axis.columns.front().key +
                 ", " + std::to_string(axis.size()) + ", got " +
                 std::to_string(column.values.size()));
  } else {
    axis.columns.push_back(read_column(node));
    if (const auto range = node.find_child("range")) read_span(*range, false, axis);
    if (const auto range = node.find_child("log")) read_span(*range, true, axis);
    check_values(node, axis.columns.front());
  }
  if (node.has("when")) axis.when = read_expression(node, "when");
  node.reject_unknown_keys();
  return axis;
}

/// What the values of a column count.
NumberUnit unit_of(const SweepColumn& column) {
  std::set<std::string> units;
  std::size_t words = 0;
  for (const std::string& value : column.values) {
    units.insert(unit_of_text(value));
    words += std::holds_alternative<std::string>(value_of_text(value));
  }
  if (words == column.values.size()) return {.kind = NumberUnit::Kind::Word};
  if (words > 0 || units.size() > 1) return {};
  if (units.contains("")) return {.kind = NumberUnit::Kind::Plain, .only_plain = true};
  return {.kind = NumberUnit::Kind::Written, .unit = *units.begin()};
}

/// Figures and facts go before axes, as they do where the expression is calculated.
NumberUnit unit_of(const SweepSpec& sweep, const std::string& name) {
  if (const SweepFigure* figure = find_sweep_figure(name)) {
    if (figure->word) return {.kind = NumberUnit::Kind::Word};
    if (figure->unit.empty()) return {.kind = NumberUnit::Kind::Plain, .only_plain = true};
    return {.kind = NumberUnit::Kind::Figure, .unit = std::string{figure->unit}};
  }
  for (const SweepAxis& axis : sweep.axes)
    for (const SweepColumn& column : axis.columns)
      if (column.key == name) return unit_of(column);
  if (std::ranges::find(kNames, name) != kNames.end()) return {.kind = NumberUnit::Kind::Word};
  return {};
}

/// Makes the units of an expression agree, and returns the unit of what it comes to.
NumberUnit settle(const ConfigNode& root, std::string_view key, const SweepSpec& sweep,
                  Expression& expression) {
  NumberUnit whole;
  const std::string problem = expression.settle_units(
      [&](const std::string& name) { return unit_of(sweep, name); }, &whole);
  if (!problem.empty()) fail(root, key, "'" + expression.text() + "' " + problem);
  if (whole.kind == NumberUnit::Kind::Word)
    fail(root, key, "'" + expression.text() + "' is a word, expected a number or a comparison");
  return whole;
}

/// A derived key is written as a number and its unit.
void check_derived_unit(const ConfigNode& root, const DerivedKey& derived, const NumberUnit& unit) {
  if (unit.kind == NumberUnit::Kind::Written && derived.unit != unit.unit)
    fail(root, "derived",
         derived.key + " counts in " + unit.unit + ": expected `unit: " + unit.unit + "`, got '" +
             derived.unit + "'");
}

/// Keys are set once, and `when` asks for what is known by then.
void check_axes(const ConfigNode& root, SweepSpec& sweep) {
  std::set<std::string> known;
  std::size_t columns = 0;
  for (const SweepAxis& axis : sweep.axes) {
    if (axis.when)
      for (const auto& name : axis.when->names())
        if (!known.contains(name))
          fail(root, "axes",
               "'" + axis.when->text() + "' asks for " + name + ", which no axis before it has");
    for (const SweepColumn& column : axis.columns) {
      ++columns;
      if (!known.insert(column.key).second) fail(root, "axes", column.key + " is on two axes");
      const bool name = std::ranges::find(kNames, column.key) != kNames.end();
      if (!name && !column.variable && column.key != "seed" &&
          column.key.find('.') == std::string::npos)
        fail(root, "axes",
             "expected a key such as workload.batch, or `variable:` for one that "
             "derived keys use, got '" +
                 column.key + "'");
    }
  }
  if (columns > kMostColumns)
    fail(root, "axes", fmt::format("expected {} keys at most, got {}", kMostColumns, columns));
  for (SweepAxis& axis : sweep.axes)
    if (axis.when) settle(root, "axes", sweep, *axis.when);
  for (DerivedKey& derived : sweep.derived) {
    if (!known.insert(derived.key).second)
      fail(root, "derived", derived.key + " is on an axis too");
    for (const auto& name : derived.value.names())
      if (!known.contains(name))
        fail(root, "derived", derived.key + " asks for " + name + ", which is no axis");
    check_derived_unit(root, derived, settle(root, "derived", sweep, derived.value));
  }
  for (const auto& assignment : sweep.base.sets) {
    const std::string key = assignment.substr(0, assignment.find('='));
    if (known.contains(key)) fail(root, "set", key + " is on an axis, or derived");
  }
}

/// Files that values of keys name are those of a folder that was given, as others a file names.
void check_path(const ConfigNode& node, std::string_view at, std::string_view key,
                const std::string& value) {
  require_given_value(key, value, node.position_of(at), at);
}

void check_paths(const ConfigNode& root, const SweepSpec& sweep) {
  const ConfigNode run = root.child("run");
  check_path(run, "platform", "platform", sweep.base.platform);
  check_path(run, "llm", "llm", sweep.base.llm);
  check_path(run, "workload", "workload", sweep.base.workload);
  if (sweep.base.serving) check_path(run, "serving", "serving", *sweep.base.serving);
  for (const std::string& set : sweep.base.sets)
    if (const std::size_t equals = set.find('='); equals != std::string::npos)
      check_path(root, "set", set.substr(0, equals), set.substr(equals + 1));
  for (const SweepAxis& axis : sweep.axes)
    for (const SweepColumn& column : axis.columns)
      for (const std::string& value : column.values) check_path(root, "axes", column.key, value);
  // A number with a unit can be made to look like any path.
  for (const SweepAxis& axis : sweep.axes)
    if (axis.span && names_file(axis.columns.front().key))
      fail(root, "axes", axis.columns.front().key + " names a file, no number");
  for (const DerivedKey& derived : sweep.derived)
    if (names_file(derived.key)) fail(root, "derived", derived.key + " names a file, no number");
}

void read_base(const ConfigNode& root, SweepSpec& sweep) {
  const ConfigNode run = root.child("run");
  sweep.base.platform = run.get<std::string>("platform");
  sweep.base.llm = run.get<std::string>("llm");
  sweep.base.workload = run.get<std::string>("workload");
  if (run.has("serving")) sweep.base.serving = run.get<std::string>("serving");
  sweep.base.fidelity = run.get<std::string>("fidelity", "transaction");
  run.takes_words("fidelity", {"roofline", "transaction", "cycle"});
  run.check("fidelity",
            *sweep.base.fidelity == "roofline" || *sweep.base.fidelity == "transaction" ||
                *sweep.base.fidelity == "cycle",
            "expected roofline, transaction or cycle");
  if (run.has("seed")) sweep.base.seed = run.get<std::uint64_t>("seed");
  run.reject_unknown_keys();
  sweep.base.sets = root.texts("set");
}

/// "throughput", or "more EXPRESSION" and "less EXPRESSION".
SweepObjective read_objective(const ConfigNode& root, const std::string& text) {
  SweepObjective objective;
  std::string asked = text;
  const bool more = text.starts_with("more "), less = text.starts_with("less ");
  if (more || less) asked = text.substr(5);
  objective.name = asked;
  objective.value = read_expression(root, "objectives", asked);
  objective.better = less ? Better::Less : Better::More;
  if (more || less) return objective;
  const SweepFigure* figure = find_sweep_figure(asked);
  if (figure == nullptr || !figure->better) {
    std::vector<std::string> names;
    for (const SweepFigure& f : kSweepFigures)
      if (f.better) names.emplace_back(f.name);
    fail(root, "objectives",
         "expected a figure such as throughput, or `more` or `less` and an "
         "expression, got '" +
             text + "'" + did_you_mean(text, names));
  }
  objective.better = *figure->better;
  return objective;
}

/// What an expression of results may ask for.
void check_names(const ConfigNode& root, std::string_view key, const SweepSpec& sweep,
                 const Expression& expression, bool results) {
  for (const auto& name : expression.names()) {
    const bool dotted = name.find('.') != std::string::npos;
    const bool axis = std::ranges::any_of(sweep.axes, [&](const SweepAxis& a) {
      return std::ranges::any_of(a.columns, [&](const SweepColumn& c) { return c.key == name; });
    });
    const bool name_of_run = std::ranges::find(kNames, name) != kNames.end();
    const bool fact =
        std::ranges::any_of(kSweepFacts, [&](const SweepFigure& f) { return f.name == name; });
    if (axis || name_of_run || fact || (dotted && !results)) continue;
    if (dotted)
      fail(root, key, name + " is on no axis: after a run axes, facts and figures are known");
    if (find_sweep_figure(name) == nullptr) fail(root, key, "nothing is called '" + name + "'");
    if (!results)
      fail(root, key, "'" + name + "' is known after a run alone: state it under limits");
  }
}

void read_goals(const ConfigNode& root, SweepSpec& sweep) {
  if (root.has("constraints"))
    for (const ConfigNode& node : root.sections("constraints")) {
      sweep.constraints.push_back(
          {read_expression(node, "require"), node.get<std::string>("reason", "")});
      check_names(node, "require", sweep, sweep.constraints.back().require, false);
      settle(node, "require", sweep, sweep.constraints.back().require);
      node.reject_unknown_keys();
    }
  for (const auto& text : root.texts("objectives")) {
    sweep.objectives.push_back(read_objective(root, text));
    check_names(root, "objectives", sweep, sweep.objectives.back().value, true);
    settle(root, "objectives", sweep, sweep.objectives.back().value);
  }
  if (sweep.objectives.empty()) sweep.objectives.push_back(read_objective(root, "throughput"));
  sweep.allowed = root.texts("allow");
  for (const std::string& limit : sweep.allowed)
    if (std::ranges::find(kBreakable, limit) == kBreakable.end())
      fail(root, "allow",
           fmt::format("expected limits that a run may break, {}, got '{}'",
                       fmt::join(kBreakable, ", "), limit));
  for (const auto& text : root.texts("limits")) {
    sweep.limits.push_back(read_expression(root, "limits", text));
    check_names(root, "limits", sweep, sweep.limits.back(), true);
    settle(root, "limits", sweep, sweep.limits.back());
  }
}

std::int64_t grid_points(const SweepSpec& sweep) {
  std::int64_t points = 1;
  for (const SweepAxis& axis : sweep.axes)
    points = std::min(kMostPoints + 1, points * static_cast<std::int64_t>(axis.size()));
  return points;
}

void read_design(const ConfigNode& root, SweepSpec& sweep) {
  if (const auto design = root.find_child("design")) {
    SweepDesign& d = sweep.design;
    d.kind = design->get<DesignKind>("kind");
    if (d.kind != DesignKind::Grid)
      d.points = design->get<std::int64_t>("points", Range<std::int64_t>{2, kMostPoints});
    if (d.kind != DesignKind::Grid && d.kind != DesignKind::Sobol && d.kind != DesignKind::Saltelli)
      d.seed = design->get<std::uint64_t>("seed", std::uint64_t{0});
    design->reject_unknown_keys();
  }
  if (const auto halving = root.find_child("halving")) {
    sweep.halving =
        SweepHalving{halving->get<std::int64_t>("keep", Range<std::int64_t>{1, kMostPoints})};
    halving->reject_unknown_keys();
    if (sweep.base.fidelity == "roofline")
      fail(root, "halving", "goes from roofline to run.fidelity, which is roofline itself");
    if (sweep.design.kind == DesignKind::Pareto || sweep.design.kind == DesignKind::Saltelli)
      fail(root, "halving", "expected a grid, latin-hypercube or sobol design beside it");
  }
  if (sweep.design.kind == DesignKind::Grid && grid_points(sweep) > kMostPoints)
    fail(root, "axes", fmt::format("the grid has more than {} points", kMostPoints));
}
}  // namespace

double value_at(const SweepSpan& span, double u) {
  if (u == 1) return span.high;  // what the file says, and nothing that rounding makes of it
  if (!span.log) return span.low + u * (span.high - span.low);
  return span.low * std::pow(span.high / span.low, u);
}

namespace {
/// As it is where nine digits, or a whole number, say it; else six digits: bytes of gigabytes come
/// out whole, and 0.1 + 0.2 is 0.3.
std::string shortest_text(double value) {
  constexpr int kShort = 6, kLong = 9;
  // A double holds fifteen digits: what it rounds is some 1e-16, sums of a few steps 1e-14.
  constexpr double kRounding = 1e-14, kExactWhole = 1e15;
  if (value == std::round(value) && std::abs(value) < kExactWhole)
    return fmt::format("{:.0f}", value);
  for (int digits = kShort; digits <= kLong; ++digits) {
    const double rounded = std::stod(fmt::format("{:.{}g}", value, digits));
    if (std::abs(rounded - value) <= kRounding * std::abs(value))
      return ValueText<double>::format(rounded);
  }
  return ValueText<double>::format(std::stod(fmt::format("{:.{}g}", value, kShort)));
}
}  // namespace

std::string text_of(const SweepSpan& span, double value) {
  const std::string number =
      span.whole ? fmt::format("{:.0f}", std::round(value)) : shortest_text(value);
  return span.unit.empty() ? number : number + " " + span.unit;
}

SweepSpec read_sweep(const std::string& name_or_path) {
  const CatalogueFile file = require_config(CatalogueKind::Sweep, name_or_path);
  return parse_sweep(read_yaml_text(file.path, file.label), file.label);
}

SweepSpec parse_sweep(std::string_view text, const std::string& label) {
  ResolvedValues ignored;
  const ConfigNode root{std::make_shared<const ConfigTree>(parse_yaml(text, label)), ignored};
  SweepSpec sweep;
  sweep.text = text;
  sweep.name = root.get<std::string>("sweep");
  sweep.title = root.get<std::string>("title", sweep.name);
  read_base(root, sweep);
  for (const ConfigNode& node : root.sections("axes")) sweep.axes.push_back(read_axis(node));
  if (sweep.axes.empty()) fail(root, "axes", "expected one axis at least");
  if (root.has("derived"))
    for (const ConfigNode& node : root.sections("derived")) {
      DerivedKey derived;
      derived.key = node.get<std::string>("key");
      derived.value = read_expression(node, "equals");
      derived.unit = node.get<std::string>("unit", "");
      derived.whole = node.get<bool>("whole", false);
      node.reject_unknown_keys();
      sweep.derived.push_back(std::move(derived));
    }
  check_axes(root, sweep);
  check_paths(root, sweep);
  read_goals(root, sweep);
  read_design(root, sweep);
  if (root.has("time_limit")) {
    sweep.time_limit_s = seconds(root.get<Picoseconds>("time_limit"));
    root.check("time_limit",
               *sweep.time_limit_s >= kLeastSeconds && *sweep.time_limit_s <= kMostSeconds,
               "must be between 1 ms and a week");
  }
  root.reject_unknown_keys();
  return sweep;
}

}  // namespace reticle
