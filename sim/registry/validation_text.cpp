// SPDX-License-Identifier: Apache-2.0
// What was found, as Markdown and for the terminal.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sim/registry/number_text.hpp"
#include "sim/registry/validation.hpp"

namespace reticle {

namespace {
std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += " " + in_cell(cell) + " |";
  return out + "\n";
}

std::string head(const std::vector<std::string>& cells) {
  std::string out = row(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) out += "---|";
  return out + "\n";
}

std::string value_text(const ArmResult& arm, const ClaimTest& test) {
  if (!arm.value) return "none";
  return figure_text(arm.value) + " " + test.metric.unit + operating_point_text(arm, test);
}

std::string cell_link(const ArmResult& arm) {
  return fmt::format("[{}](cells/{}.json)", arm.cell, arm.cell);
}

/// A row per point and treatment.
std::string points_table(const TestResult& result) {
  const ClaimTest& test = result.test;
  std::vector<std::string> names;
  for (const ConditionAxis& axis : test.conditions) names.push_back(axis.name);
  names.insert(names.end(), {"arm", test.metric.title, unit_of(test), "limited by", "run"});
  std::string out = head(names);
  const auto add = [&](const TestedPoint& point, const std::string& arm, const ArmResult& ran,
                       const std::string& figure) {
    std::vector<std::string> cells = point.labels;
    cells.insert(cells.end(),
                 {arm, value_text(ran, test), figure,
                  ran.value ? fmt::format("{} {:.0f} %", ran.limited_by, 100 * ran.limited_share)
                            : ran.problem,
                  cell_link(ran)});
    out += row(cells);
  };
  for (const TestedPoint& point : result.points) {
    if (point.baseline) add(point, test.baseline->name + " (baseline)", *point.baseline, "");
    for (std::size_t t = 0; t < point.treatments.size(); ++t)
      add(point, test.treatments[t].name + (test.treatments[t].bound ? " (bound)" : ""),
          point.treatments[t].arm, comparand_text(point.treatments[t]));
  }
  return out;
}

std::string test_text(const TestResult& result) {
  const ClaimTest& test = result.test;
  const std::string unit = unit_of(test);
  std::string out = fmt::format("\n### {}\n\n", test.title);
  out += fmt::format("Claimed: {}{}.", claim_text(test),
                     test.claim.empty() ? "" : " (" + tolerance_text(test) + ")");
  if (result.overall.verdict)
    out += fmt::format(
        " Simulated: {}. Verdict: **{}**{}.",
        range_text(result.overall.low, result.overall.high, unit), name_of(*result.overall.verdict),
        result.overall.condition.empty() ? std::string{} : ", holds " + result.overall.condition);
  out += fmt::format(" Limited by: {}.\n\n", takeover_text(result));
  if (test.baseline) out += fmt::format("Baseline: {}.\n", test.baseline->what);
  for (std::size_t t = 0; t < test.treatments.size(); ++t) {
    const Judgement& judgement = result.treatments[t];
    out += fmt::format("- {}: {}; {}{}{}\n", test.treatments[t].name, test.treatments[t].what,
                       range_text(judgement.low, judgement.high, unit),
                       judgement.verdict ? fmt::format(", {}", name_of(*judgement.verdict)) : "",
                       judgement.condition.empty() ? "" : " (" + judgement.condition + ")");
  }
  return out + "\n" + points_table(result);
}

std::string arithmetic_text(const Arithmetic& arithmetic) {
  std::string out = "\n### Computed\n\n" + head({"quantity", "low", "high", "unit", "from"});
  constexpr std::array<const char*, 3> kSigns{" + ", " x ", " / "};
  for (const IntervalStep& step : arithmetic.steps)
    out += row(
        {step.name, figure_text(step.range.low), figure_text(step.range.high), step.unit,
         step.of.empty()
             ? step.source
             : fmt::format("{}", fmt::join(step.of, kSigns[static_cast<std::size_t>(step.op)]))});
  for (const StatedInterval& stated : arithmetic.stated)
    out += fmt::format(
        "\nStated for {}: {}; computed {}.\n", stated.name,
        range_text(stated.range.low, stated.range.high, "") + "(" + stated.source + ")",
        range_text(arithmetic.find(stated.name)->range.low,
                   arithmetic.find(stated.name)->range.high, arithmetic.find(stated.name)->unit));
  return out;
}

std::string importer_text(const Validation& validation) {
  std::string out =
      fmt::format("\n### Computed\n\nThe importer knows {} architectures: {}.\n",
                  validation.architectures.size(), fmt::join(validation.architectures, ", "));
  if (validation.imports.empty()) return out;
  const auto read = std::ranges::count(validation.imports, "", &ImportedConfig::problem);
  out += fmt::format("Of {} configurations it reads {}.\n\n{}", validation.imports.size(), read,
                     head({"configuration", "architecture", "refused because"}));
  for (const ImportedConfig& config : validation.imports)
    out += row({config.name, config.model_type, config.problem});
  return out;
}

std::string entry_text(const EntryResult& result, const Validation& validation) {
  const Experiment& experiment = result.experiment;
  std::string out =
      fmt::format("\n## {}: {}\n\nClaim: \"{}\". Verdict: **{}**.\n\n", result.entry.id,
                  result.entry.name, result.entry.unlock, name_of(result.verdict));
  for (const std::string& condition : result.conditions) out += "- " + condition + "\n";
  out += fmt::format("\nHypothesis: {}\n\nIt would be refuted by: {}{}\n", experiment.hypothesis,
                     experiment.falsifier, came_true_text(result));
  if (!result.refutations.empty()) out += "\n";
  for (const RefutationResult& refutation : result.refutations)
    out += "- " + refutation_text(refutation) + "\n";
  if (!experiment.needs.empty()) out += "\nNot simulated, and what it would take:\n\n";
  for (const std::string& need : experiment.needs) out += "- " + need + "\n";
  if (!experiment.notes.empty()) out += "\nTo know:\n\n";
  for (const std::string& note : experiment.notes) out += "- " + note + "\n";
  for (const TestResult& test : result.tests) out += test_text(test);
  if (experiment.arithmetic) out += arithmetic_text(*experiment.arithmetic);
  if (experiment.importer) out += importer_text(validation);
  if (const std::string command = computing_command(result, validation); !command.empty())
    out += "\nRepeated by `" + command + "`.\n";
  return out;
}

/// The figures of a test that judges, for a table.
std::vector<std::string> summary_row(const EntryResult& result, const TestResult& test) {
  return {result.entry.id,
          test.test.title,
          claim_text(test.test),
          range_text(test.overall.low, test.overall.high, unit_of(test.test)),
          std::string{name_of(*test.overall.verdict)},
          test.overall.condition,
          takeover_text(test)};
}

std::vector<std::vector<std::string>> summary_rows(const Validation& validation) {
  std::vector<std::vector<std::string>> rows;
  for (const EntryResult& result : validation.entries) {
    for (const TestResult& test : result.tests)
      if (!test.test.claim.empty()) rows.push_back(summary_row(result, test));
    if (result.refuted)
      rows.push_back({result.entry.id, "its falsifier came true", "-", "-",
                      std::string{name_of(result.verdict)}, "", "-"});
    if (result.conditions.empty())
      rows.push_back({result.entry.id, result.entry.name, result.entry.unlock, "-",
                      std::string{name_of(result.verdict)}, "", "-"});
  }
  return rows;
}
}  // namespace

std::string validation_markdown(const Validation& validation) {
  std::string out = fmt::format(
      "# The registry's estimates, put to the test\n\n"
      "Program {} ({}). Every figure comes from a run; the last table has the command that repeats "
      "it.\n\n",
      validation.version, validation.revision);
  out += head({"entry", "test", "claimed", "simulated", "verdict", "holds", "limited by"});
  for (const auto& cells : summary_rows(validation)) out += row(cells);
  for (const EntryResult& result : validation.entries) out += entry_text(result, validation);
  out += "\n## Runs\n\n" + head({"run", "command"});
  for (const Cell& cell : validation.cells) out += row({cell.name, "`" + cell.command + "`"});
  return out;
}

std::string validation_summary(const Validation& validation) {
  std::string out = fmt::format("{:4} {:38} {:20} {:22} {:14} {}\n", "id", "test", "claimed",
                                "simulated", "verdict", "limited by");
  for (const auto& cells : summary_rows(validation)) {
    // Cut to the columns of the heading, 38 and 20 letters.
    out += fmt::format("{:4} {:38} {:20} {:22} {:14} {}\n", cells[0], cells[1].substr(0, 38),
                       cells[2].substr(0, 20), cells[3], cells[4], cells[6]);  // likewise cut
    if (!cells[5].empty()) out += fmt::format("     holds {}\n", cells[5]);
  }
  return out;
}

}  // namespace reticle
