// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "sim/html/html.hpp"
#include "sim/html/style.hpp"
#include "sim/registry/number_text.hpp"
#include "sim/registry/pages.hpp"
#include "sim/registry/plot_svg.hpp"

namespace reticle {

namespace {
std::string verdict_html(RegistryVerdict verdict) {
  std::string name{name_of(verdict)};
  std::string word = name;
  std::ranges::replace(word, ' ', '-');
  return fmt::format("<span class=\"verdict {}\">{}</span>", word, name);
}

std::string paragraph(const std::string& html) { return "<p>" + html + "</p>\n"; }

std::string list_html(const std::vector<std::string>& items) {
  std::string out = "<ul>\n";
  for (const std::string& item : items) out += "<li>" + escaped(item) + "</li>\n";
  return out + "</ul>\n";
}

std::string value_html(const ArmResult& arm, const ClaimTest& test) {
  if (!arm.value) return "none";
  return escaped(figure_text(arm.value) + " " + test.metric.unit + operating_point_text(arm, test));
}

std::vector<std::string> row_of(const TestedPoint& point, const ClaimTest& test,
                                const std::string& arm, const ArmResult& ran,
                                const std::string& figure) {
  std::vector<std::string> cells;
  for (const std::string& label : point.labels) cells.push_back(escaped(label));
  const std::string limit =
      ran.value ? fmt::format("{} {:.0f} %", ran.limited_by, 100 * ran.limited_share) : ran.problem;
  cells.insert(cells.end(), {escaped(arm), value_html(ran, test), figure, escaped(limit),
                             fmt::format("<a href=\"#run-{0}\">{0}</a>", escaped(ran.cell))});
  return cells;
}

std::string points_html(const TestResult& result) {
  const ClaimTest& test = result.test;
  std::vector<std::string> headings;
  for (const ConditionAxis& axis : test.conditions) headings.push_back(axis.name);
  headings.insert(headings.end(), {"arm", test.metric.title, unit_of(test), "limited by", "run"});
  std::vector<std::vector<std::string>> rows;
  for (const TestedPoint& point : result.points) {
    if (point.baseline)
      rows.push_back(row_of(point, test, test.baseline->name + " (baseline)", *point.baseline, ""));
    for (std::size_t t = 0; t < point.treatments.size(); ++t)
      rows.push_back(row_of(point, test,
                            test.treatments[t].name + (test.treatments[t].bound ? " (bound)" : ""),
                            point.treatments[t].arm, comparand_text(point.treatments[t])));
  }
  return "<details><summary>Every figure and its run</summary>\n" +
         html_table(test.title + ": every figure and its run", headings, rows) + "</details>\n";
}

std::string treatments_html(const TestResult& result) {
  const ClaimTest& test = result.test;
  std::vector<std::vector<std::string>> rows;
  if (test.baseline) rows.push_back({"baseline", escaped(test.baseline->what), "", "", ""});
  for (std::size_t t = 0; t < test.treatments.size(); ++t) {
    const Judgement& judgement = result.treatments[t];
    rows.push_back({escaped(test.treatments[t].name) + (test.treatments[t].bound ? " (bound)" : ""),
                    escaped(test.treatments[t].what),
                    escaped(range_text(judgement.low, judgement.high, unit_of(test))),
                    judgement.verdict ? verdict_html(*judgement.verdict) : "",
                    escaped(judgement.condition)});
  }
  return html_table(test.title + ": treatments", {"arm", "what", "simulated", "alone", "holds"},
                    rows);
}

std::string arithmetic_html(const Arithmetic& arithmetic) {
  constexpr std::array<const char*, 3> kSigns{" + ", " × ", " / "};
  std::vector<std::vector<std::string>> rows;
  for (const IntervalStep& step : arithmetic.steps) {
    const std::string from =
        step.of.empty()
            ? step.source
            : fmt::format("{}", fmt::join(step.of, kSigns[static_cast<std::size_t>(step.op)]));
    rows.push_back({escaped(step.name), figure_text(step.range.low), figure_text(step.range.high),
                    escaped(step.unit), escaped(from)});
  }
  std::string out = html_table("Computed", {"quantity", "low", "high", "unit", "from"}, rows);
  for (const StatedInterval& stated : arithmetic.stated) {
    const IntervalStep& step = *arithmetic.find(stated.name);
    out += paragraph(escaped(fmt::format("Stated for {}: {} ({}). Computed: {}.", stated.name,
                                         range_text(stated.range.low, stated.range.high, step.unit),
                                         stated.source,
                                         range_text(step.range.low, step.range.high, step.unit))));
  }
  return out;
}

std::string importer_html(const Validation& validation) {
  std::string out = paragraph(escaped(fmt::format("The importer knows {} architectures: {}.",
                                                  validation.architectures.size(),
                                                  fmt::join(validation.architectures, ", "))));
  if (validation.imports.empty()) return out;
  const auto read = std::ranges::count(validation.imports, "", &ImportedConfig::problem);
  std::vector<std::vector<std::string>> rows;
  for (const ImportedConfig& config : validation.imports)
    rows.push_back({escaped(config.name), escaped(config.model_type), escaped(config.problem)});
  return out + html_table(
                   fmt::format("Of {} configurations it reads {}", validation.imports.size(), read),
                   {"configuration", "architecture", "refused because"}, rows);
}

/// The cells that an entry's tests name.
std::set<std::string> cells_named(const EntryResult& result) {
  std::set<std::string> names;
  for (const TestResult& test : result.tests)
    for (const TestedPoint& point : test.points) {
      if (point.baseline) names.insert(point.baseline->cell);
      for (const Comparand& comparand : point.treatments) names.insert(comparand.arm.cell);
    }
  return names;
}
}  // namespace

std::string test_html(const TestResult& result, int level) {
  const ClaimTest& test = result.test;
  std::string out = fmt::format("<h{0}>{1}</h{0}>\n", level, escaped(test.title));
  std::string said = "Claimed: " + escaped(claim_text(test)) +
                     (test.claim.empty() ? "" : " (" + escaped(tolerance_text(test)) + ")") +
                     ". Simulated: " + escaped(simulated_text(result)) + ".";
  if (result.overall.verdict) {
    said += " Verdict: " + verdict_html(*result.overall.verdict);
    if (!result.overall.condition.empty()) said += ", holds " + escaped(result.overall.condition);
    said += ".";
  }
  out += paragraph(said + " Limited by: " + escaped(takeover_text(result)) + ".");
  return out + plot_svg(result) + treatments_html(result) + points_html(result);
}

std::string result_html(const EntryResult& result, const Validation& validation, int level) {
  const Experiment& experiment = result.experiment;
  std::string out = paragraph("Verdict: " + verdict_html(result.verdict) + " on the claim “" +
                              escaped(result.entry.unlock) + "”.");
  if (!result.conditions.empty()) out += list_html(result.conditions);
  out += paragraph("<strong>Hypothesis.</strong> " + escaped(experiment.hypothesis));
  out += paragraph("<strong>It would be refuted by.</strong> " + escaped(experiment.falsifier) +
                   escaped(came_true_text(result)));
  if (!result.refutations.empty()) {
    std::vector<std::string> items;
    for (const RefutationResult& item : result.refutations) items.push_back(refutation_text(item));
    out += list_html(items);
  }
  if (!experiment.needs.empty())
    out += paragraph("<strong>Not simulated, and what it would take.</strong>") +
           list_html(experiment.needs);
  if (!experiment.notes.empty())
    out += paragraph("<strong>To know.</strong>") + list_html(experiment.notes);
  for (const TestResult& test : result.tests) out += test_html(test, level);
  if (experiment.arithmetic) out += arithmetic_html(*experiment.arithmetic);
  if (experiment.importer) out += importer_html(validation);
  if (const std::string command = computing_command(result, validation); !command.empty())
    out += paragraph("Repeated by <code>" + escaped(command) + "</code>.");
  return out;
}

std::string runs_html(const Validation& validation, const EntryResult* only) {
  const std::set<std::string> named = only ? cells_named(*only) : std::set<std::string>{};
  std::vector<std::vector<std::string>> rows;
  for (const Cell& cell : validation.cells)
    if (only == nullptr || named.contains(cell.name))
      rows.push_back({fmt::format("<span id=\"run-{0}\">{0}</span>", escaped(cell.name)),
                      "<code>" + escaped(cell.command) + "</code>"});
  return rows.empty()
             ? ""
             : html_table("Runs and the commands that repeat them", {"run", "command"}, rows);
}

std::string validation_page(const Validation& validation) {
  std::vector<std::vector<std::string>> rows;
  std::string body = "<h1>The registry's estimates, put to the test</h1>\n";
  std::string entries;
  for (const EntryResult& result : validation.entries) {
    rows.push_back({fmt::format("<a href=\"#{0}\">{0}</a>", result.entry.id),
                    escaped(result.entry.name), escaped(result.entry.unlock),
                    verdict_html(result.verdict),
                    escaped(fmt::format("{}", fmt::join(result.conditions, "; ")))});
    entries +=
        fmt::format("<h2 id=\"{0}\">{0}: {1}</h2>\n", result.entry.id, escaped(result.entry.name)) +
        result_html(result, validation, 3);  // below its h2
  }
  body += paragraph(escaped(fmt::format(
      "Program {} ({}). Every figure comes from a run; the last table has the command that repeats "
      "it.",
      validation.version, validation.revision)));
  body += html_table("Verdicts", {"entry", "name", "claim", "verdict", "in detail"}, rows) +
          entries + "<h2>Runs</h2>\n" + runs_html(validation, nullptr);
  Page page;
  page.title = "The registry's estimates, put to the test";
  page.style = style_sheet();
  page.body = body;
  return html_page(page);
}

}  // namespace reticle
