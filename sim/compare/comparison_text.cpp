// SPDX-License-Identifier: Apache-2.0
// The comparison as CSV, Markdown and on a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "sim/compare/comparison.hpp"
#include "sim/metrics/tables.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
std::string csv_number(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

std::string figure_text(const std::optional<double>& value) {
  return value ? number_text(*value, 3) : "-";
}

std::string range_text(const std::optional<ClaimRange>& range) {
  if (!range) return "-";
  if (range->low == range->high) return number_text(range->low, 3);
  return number_text(range->low, 3) + " to " + number_text(range->high, 3);
}

std::string ours_text(const TableCell& cell) {
  if (!cell.ours_between) return figure_text(cell.ours);
  return fmt::format("{} ({} to {})", figure_text(cell.ours), number_text(cell.ours_between->p5, 3),
                     number_text(cell.ours_between->p95, 3));
}

std::string words(std::string text) {
  std::ranges::replace(text, '_', ' ');
  return text;
}

/// Of the first load that has one; the problem where nothing fits.
const CellFigures* first_cell(const PlatformRow& row) {
  for (const auto& cell : row.cells)
    if (cell) return &*cell;
  return nullptr;
}

/// Of the first load that does not fit; which one is said where others do.
std::string problem_of(const PlatformRow& row) {
  if (const CellFigures* first = first_cell(row); first != nullptr && !first->fits)
    return first->problem;
  for (std::size_t i = 0; i < kLoadCount; ++i)
    if (const auto& cell = row.cells[i];
        cell && !cell->fits && static_cast<Load>(i) != Load::Table1)
      return fmt::format("{}: {}", kLoadNames[i], cell->problem);
  return {};
}

/// How it came to be, whether it is a bound, and what does not fit it.
std::string deployment_text(const PlatformRow& row, const CellFigures* cell) {
  const std::string problem = problem_of(row);
  if (cell != nullptr && !cell->fits) return cell->problem;
  return row.deployment + (cell != nullptr && !cell->simulated ? "; a bound, not simulated" : "") +
         (problem.empty() ? "" : "; " + problem);
}

std::string limited_by(const PlatformRow& row, Load load) {
  const auto& cell = row.at(load);
  return cell ? cell->limited_by : "";
}

std::string markdown_table(const std::vector<TableCell>& table, bool with_column) {
  std::string out = fmt::format(
      "| figure |{} platform | unit | paper | simulated | verdict | limited by | note |\n"
      "|---|{}---|---|---|---|---|---|---|\n",
      with_column ? " column |" : "", with_column ? "---|" : "");
  for (const TableCell& cell : table)
    out += fmt::format(
        "| {} |{} `{}` | {} | {} | {} | {} | {} | {} |\n", words(cell.figure),
        with_column ? " " + cell.column + " |" : "", cell.platform, cell.unit,
        range_text(cell.stated), ours_text(cell),
        cell.verdict == Verdict::None ? "-" : fmt::format("**{}**", name_of(cell.verdict)),
        cell.limited_by.empty() ? "-" : words(cell.limited_by), cell.note);
  return out;
}

/// What the ranges of constants make of a figure; absent where they were not asked for.
const UncertainFigure* uncertain(const Comparison& comparison, const std::string& platform,
                                 std::string_view figure) {
  if (!comparison.uncertainty) return nullptr;
  const auto& all = comparison.uncertainty->figures;
  const auto found = std::ranges::find_if(
      all, [&](const UncertainFigure& f) { return f.platform == platform && f.figure == figure; });
  return found == all.end() ? nullptr : &*found;
}

/// Prices decide it, and their ranges were asked for.
bool has_range(const Comparison& comparison, std::string_view figure) {
  return comparison.uncertainty &&
         std::ranges::count(comparison.uncertainty->figures, figure, &UncertainFigure::figure) > 0;
}

std::string flip_text(const Flip& flip) {
  return fmt::format("{}, {}{} of {}: {}, {} at P5, {} at P95", flip.table, words(flip.figure),
                     flip.column.empty() ? "" : " (" + flip.column + ")", flip.platform,
                     name_of(flip.nominal), name_of(flip.at_p5), name_of(flip.at_p95));
}

std::string limit_text(const LimitShare& limit) {
  return fmt::format("{} of {}: broken in {} of the samples", words(limit.limit), limit.platform,
                     percent_text(limit.share));
}

std::string uncertainty_markdown(const Comparison& comparison) {
  if (!comparison.uncertainty) return {};
  const Uncertainty& u = *comparison.uncertainty;
  std::string out = fmt::format(
      "\n## What the ranges of constants leave open\n\n{} samples of the ranges of energy, cost "
      "and silicon "
      "constants, seed {}. What a figure hangs on: the constants that move it most, each alone "
      "from "
      "end to end of its range.\n\n| platform | figure | nominal | P5 to P95 | hangs on |\n"
      "|---|---|---|---|---|\n",
      u.samples, u.seed);
  constexpr std::size_t kMostBars = 3;  // more do not fit into a cell
  for (const UncertainFigure& f : u.figures) {
    std::string bars;
    for (std::size_t i = 0; i < std::min(kMostBars, f.tornado.size()); ++i) {
      const TornadoBar& bar = f.tornado[i];
      bars += fmt::format("{}{} ({} to {})", i == 0 ? "" : ", ",
                          bar.path.substr(bar.path.find('.') + 1), number_text(bar.at_low, 3),
                          number_text(bar.at_high, 3));
    }
    out += fmt::format("| `{}` | {} | {} | {} to {} | {} |\n", f.platform, words(f.figure),
                       number_text(f.nominal, 3), number_text(f.quantiles.p5, 3),
                       number_text(f.quantiles.p95, 3), bars.empty() ? "-" : bars);
  }
  out += "\nVerdicts that flip within the ranges:\n\n";
  for (const Flip& flip : u.flips) out += "- " + flip_text(flip) + "\n";
  if (u.flips.empty()) out += "None.\n";
  out += "\nLimits that some samples break at batch 64 and others do not:\n\n";
  for (const LimitShare& limit : u.limits) out += "- " + limit_text(limit) + "\n";
  if (u.limits.empty()) out += "None.\n";
  return out;
}

constexpr std::array<std::string_view, 11> kShownFigures{
    "decode_single",  "decode_batch64",  "trace_rate",   "energy_single",
    "energy_batch64", "cost_single",     "cost_batch64", "cost_trace_run",
    "ttft",           "density_batch64", "made"};
}  // namespace

std::string projections_csv(const Comparison& comparison) {
  std::string out = "platform,kind,status,llm,weights,nodes,packages,dies,simulated,deployment";
  for (const ComparedFigure& f : kComparedFigures) {
    out += fmt::format(",{} [{}]", f.id, f.unit);
    if (f.divisible) out += fmt::format(",{} per chip [{}]", f.id, f.unit);
    if (has_range(comparison, f.id))
      out += fmt::format(",{0} P5 [{1}],{0} P95 [{1}]", f.id, f.unit);
  }
  out += ",software low [points],software high [points]";
  for (const auto load : {Load::Batch1, Load::Batch64, Load::Trace})
    out += fmt::format(",limited by ({})", kLoadNames[static_cast<std::size_t>(load)]);
  out += ",problem\n";
  for (std::size_t r = 0; r < comparison.rows.size(); ++r) {
    const PlatformRow& row = comparison.rows[r];
    const CellFigures* cell = first_cell(row);
    const CellFigures none;
    const CellFigures& of = cell != nullptr ? *cell : none;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{}", csv_field(row.name), name_of(row.kind),
                       row.status, csv_field(comparison.llm), csv_field(comparison.weights),
                       of.nodes, of.packages, of.dies, of.simulated ? "yes" : "bound",
                       csv_field(row.deployment));
    for (const ComparedFigure& f : kComparedFigures) {
      const auto value = value_of(row, f);
      out += "," + csv_number(value);
      if (f.divisible)
        out +=
            "," +
            csv_number(value ? std::optional{*value / static_cast<double>(row.at(f.load)->packages)}
                             : std::nullopt);
      if (!has_range(comparison, f.id)) continue;
      const UncertainFigure* range = uncertain(comparison, row.name, f.id);
      out += range != nullptr ? fmt::format(",{},{}", range->quantiles.p5, range->quantiles.p95)
                              : ",,";
    }
    const auto software = std::ranges::find_if(
        comparison.radar, [](const RadarValues& v) { return v.axis.id == "software"; });
    const auto points = software == comparison.radar.end() ? std::nullopt : software->values[r];
    out += points ? fmt::format(",{},{}", points->low, points->high) : ",,";
    for (const auto load : {Load::Batch1, Load::Batch64, Load::Trace})
      out += "," + csv_field(limited_by(row, load));
    out += "," + csv_field(problem_of(row)) + "\n";
  }
  return out;
}

std::string table_csv(const std::vector<TableCell>& table) {
  std::string out =
      "figure,column,platform,unit,stated_low,stated_high,simulated,simulated_p5,simulated_p95,"
      "verdict,limited_by,note\n";
  for (const TableCell& cell : table)
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{}\n", cell.figure, cell.column, csv_field(cell.platform),
        csv_field(cell.unit), cell.stated ? fmt::format("{}", cell.stated->low) : "",
        cell.stated ? fmt::format("{}", cell.stated->high) : "", csv_number(cell.ours),
        cell.ours_between ? fmt::format("{}", cell.ours_between->p5) : "",
        cell.ours_between ? fmt::format("{}", cell.ours_between->p95) : "",
        cell.verdict == Verdict::None ? "" : name_of(cell.verdict), cell.limited_by,
        csv_field(cell.note));
  return out;
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string out = fmt::format(
      "# {} on {} platforms\n\nSteady decodes of one stream and of 64, and `{}`, each platform on "
      "one deployment; weights in {}; {} used. *Shipping* platforms can be bought, a *claim* "
      "is a vendor's, a *projection* does not exist; figures are simulated but where the "
      "deployment is said to have its bound. Energy is the node's.\n\n",
      comparison.llm, comparison.rows.size(), comparison.workload, comparison.weights,
      percent_text(comparison.utilisation));
  out += "| platform | kind | chips |";
  for (const auto id : kShownFigures)
    out += fmt::format(" {}, {} |", figure_named(id).title, figure_named(id).unit);
  out += " limited by (1; 64) | deployment |\n|---|---|---|";
  for (std::size_t i = 0; i < kShownFigures.size(); ++i) out += "---|";
  out += "---|---|\n";
  for (const PlatformRow& row : comparison.rows) {
    const CellFigures* cell = first_cell(row);
    out += fmt::format("| `{}` | {} | {} |", row.name, name_of(row.kind),
                       cell != nullptr ? cell->packages : 0);
    for (const auto id : kShownFigures)
      out += fmt::format(" {} |", figure_text(value_of(row, figure_named(id))));
    out += fmt::format(" {}; {} | {} |\n", words(limited_by(row, Load::Batch1)),
                       words(limited_by(row, Load::Batch64)), deployment_text(row, cell));
  }
  out += "\n## Table 1\n\nOne stream of the paper's model.\n\n" +
         markdown_table(comparison.table1, false);
  if (!comparison.table2.empty())
    out += "\n## Table 2\n\n" + markdown_table(comparison.table2, true);
  out += uncertainty_markdown(comparison);
  out += "\n## Contradictions\n\n";
  for (const Contradiction& c : comparison.contradictions)
    out += fmt::format("- `{}` ({}): {}\n", c.platform, words(c.kind), c.text);
  if (comparison.contradictions.empty()) out += "None.\n";
  if (!comparison.remarks.empty()) out += "\n## Not compared\n\n";
  for (const auto& remark : comparison.remarks) out += "- " + remark + "\n";
  return out;
}

std::string comparison_summary(const Comparison& comparison) {
  std::string out = fmt::format(
      "{}, {} used: {} and {}\n\n{:<16}{:>11}{:>7}{:>11}{:>11}{:>11}{:>11}  {}\n", comparison.llm,
      percent_text(comparison.utilisation), "batch 1 and 64", comparison.workload, "platform",
      "kind", "chips", "tok/s 1", "tok/s 64", "J/tok 64", "$/1M 64", "limited by (64)");
  for (const PlatformRow& row : comparison.rows) {
    const CellFigures* cell = first_cell(row);
    if (cell == nullptr || !cell->fits) {
      out += fmt::format("{:<16}{:>11}  {}\n", row.name, name_of(row.kind),
                         cell == nullptr ? row.deployment : cell->problem);
      continue;
    }
    const auto shown = [&](std::string_view id) {
      return figure_text(value_of(row, figure_named(id)));
    };
    out += fmt::format("{:<16}{:>11}{:>7}{:>11}{:>11}{:>11}{:>11}  {}{}\n", row.name,
                       name_of(row.kind), cell->packages, shown("decode_single"),
                       shown("decode_batch64"), shown("energy_batch64"), shown("cost_batch64"),
                       words(limited_by(row, Load::Batch64)),
                       cell->simulated ? "" : " (bound, not simulated)");
  }
  const auto verdicts = [&](const std::vector<TableCell>& table, std::string_view title) {
    if (table.empty()) return;
    const auto count = [&](Verdict v) { return std::ranges::count(table, v, &TableCell::verdict); };
    out += fmt::format("{}: {} inside the paper's range, {} below, {} above, {} without either\n",
                       title, count(Verdict::Inside), count(Verdict::Below), count(Verdict::Above),
                       count(Verdict::None));
  };
  out += "\n";
  verdicts(comparison.table1, "Table 1");
  verdicts(comparison.table2, "Table 2");
  if (comparison.uncertainty)
    for (const Flip& flip : comparison.uncertainty->flips)
      out += "Not settled: " + flip_text(flip) + "\n";
  if (comparison.uncertainty)
    for (const LimitShare& limit : comparison.uncertainty->limits)
      out += "Not settled: " + limit_text(limit) + "\n";
  for (const Contradiction& c : comparison.contradictions)
    out += fmt::format("Contradiction: {} ({}): {}\n", c.platform, words(c.kind), c.text);
  for (const auto& remark : comparison.remarks) out += "Not compared: " + remark + "\n";
  return out;
}

}  // namespace reticle
