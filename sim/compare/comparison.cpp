// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
const PlatformRow* row_of(const Comparison& comparison, const std::string& platform) {
  const auto row = std::ranges::find(comparison.rows, platform, &PlatformRow::name);
  return row == comparison.rows.end() ? nullptr : &*row;
}

std::string whole(double count) { return count_text(static_cast<std::int64_t>(count)); }

std::string packages_text(const ClaimRange& packages) {
  return packages.low == packages.high ? whole(packages.low)
                                       : whole(packages.low) + " to " + whole(packages.high);
}

/// Columns of Table 1 and where a cell has them.
struct Table1Column {
  std::optional<double> CellFigures::*value;
  bool per_package = false;
};
constexpr std::array<Table1Column, kTable1Columns.size()> kTable1{
    {{&CellFigures::capex_usd},
     {&CellFigures::tokens_per_s},
     {&CellFigures::tokens_per_s, true},
     {&CellFigures::busy_power_w},
     {&CellFigures::node_j}}};

/// What the comparison of unlike things rests on: packages counted, and what a rate is of.
std::string note_of(const Table1Row& row, const CellFigures& cell, const ClaimedPlatform& claimed) {
  std::string note = row.precision;
  if (static_cast<double>(cell.packages) > claimed.packages.high ||
      static_cast<double>(cell.packages) < claimed.packages.low)
    note += fmt::format("; of {} packages, stated of {}", cell.packages,
                        packages_text(claimed.packages));
  if (!cell.simulated) note += "; a bound, not simulated";
  return note;
}

/// What a deployment has the more of, the more packages it has.
bool extensive(std::string_view figure) {
  return figure == "price" || figure == "decode_single" || figure == "power";
}

/// Of a deployment larger than the statement counts, its share; 1 of any other.
double stated_share(const CellFigures& cell, const ClaimedPlatform& claimed) {
  return std::min(1.0, claimed.packages.high / static_cast<double>(cell.packages));
}

void fill_table1(Comparison& comparison, const PaperClaims& claims) {
  for (const Table1Row& stated : claims.table1) {
    const PlatformRow* row = row_of(comparison, stated.platform);
    if (row == nullptr || !row->at(Load::Table1)) {
      comparison.remarks.push_back("Table 1: " + stated.platform + " is not compared");
      continue;
    }
    const CellFigures& cell = *row->at(Load::Table1);
    const ClaimedPlatform& claimed = *claims.find(stated.platform);
    const auto put = [&](std::string_view figure, std::string_view unit,
                         const std::optional<ClaimRange>& range, std::optional<double> ours,
                         const std::string& limited_by) {
      TableCell out;
      out.figure = figure;
      out.platform = stated.platform;
      out.unit = unit;
      out.stated = range;
      out.ours = ours;
      out.note = cell.fits ? note_of(stated, cell, claimed) : cell.problem;
      if (cell.fits && extensive(figure)) out.share = stated_share(cell, claimed);
      if (out.share < 1) out.note += fmt::format(", whose share the verdict is of");
      out.verdict = verdict_of(out.ours ? std::optional{*out.ours * out.share} : out.ours, range);
      out.limited_by = cell.fits ? limited_by : cell.limited_by;
      comparison.table1.push_back(std::move(out));
    };
    const auto packages =
        cell.fits ? std::optional{static_cast<double>(cell.packages)} : std::nullopt;
    put("packages", "packages", claimed.packages, packages, "capacity");
    for (std::size_t i = 0; i < kTable1.size(); ++i) {
      const auto& [figure, unit] = kTable1Columns[i];
      auto ours = cell.*kTable1[i].value;
      if (ours && kTable1[i].per_package) *ours /= static_cast<double>(cell.packages);
      put(figure, unit, stated.cells.at(std::string{figure}), ours,
          figure == "price" ? "stated_price" : cell.limited_by);
    }
  }
}

/// Rows of Table 2 and the figures that answer them: energy and cost are stated without a batch,
/// so both answer.
struct Table2Figures {
  std::string_view axis;
  std::string_view figure;
};
constexpr std::array<Table2Figures, 8> kTable2{{{"decode_single", "decode_single"},
                                                {"decode_batch64", "decode_batch64"},
                                                {"energy", "energy_single"},
                                                {"energy", "energy_batch64"},
                                                {"ttft", "ttft"},
                                                {"cost", "cost_single"},
                                                {"cost", "cost_batch64"},
                                                {"context", "context"}}};

/// What ends a context that the machine has more room for.
constexpr std::string_view kModelsLimit = "model";

TableCell table2_cell(const PlatformRow& row, const ComparedFigure& figure, std::string column,
                      const ClaimRange& stated) {
  TableCell out;
  out.figure = figure.id;
  out.column = std::move(column);
  out.platform = row.name;
  out.unit = figure.unit;
  out.stated = stated;
  out.ours = value_of(row, figure);
  out.verdict = verdict_of(out.ours, out.stated);
  if (const auto& cell = row.at(figure.load)) {
    const bool context = figure.id == "context";
    out.limited_by = cell->limited_by;
    if (context) out.limited_by = cell->context_of_model ? kModelsLimit : "capacity";
    out.note = cell->problem;
    if (cell->fits) {
      out.note = fmt::format("{} packages, weights in {}", cell->packages, row.weights);
      if (figure.load == Load::First && cell->prompt_tokens)
        out.note += fmt::format(", {} tokens of prompt", *cell->prompt_tokens);
      if (!cell->simulated) out.note += "; a bound, not simulated";
    }
  }
  return out;
}

void put_ratio(Comparison& comparison, const ComparedFigure& figure, const TableCell& h100,
               const TableCell& asic, const ClaimRange& stated) {
  TableCell out;
  out.figure = figure.id;
  out.column = "ratio";
  out.platform = asic.platform + " over " + h100.platform;
  out.unit = "x";
  out.stated = stated;
  if (h100.ours && asic.ours && *h100.ours > 0 && *asic.ours > 0)
    out.ours = figure.higher_is_better ? *asic.ours / *h100.ours : *h100.ours / *asic.ours;
  // Two machines that hold all a model attends to say nothing of each other.
  const bool ceiling = h100.limited_by == kModelsLimit && asic.limited_by == kModelsLimit;
  if (!ceiling) out.verdict = verdict_of(out.ours, out.stated);
  out.limited_by = asic.limited_by;
  comparison.table2.push_back(std::move(out));
}

void fill_table2(Comparison& comparison, const PaperClaims& claims) {
  if (comparison.llm != claims.table2_llm) {
    comparison.remarks.push_back("Table 2 is of " + claims.table2_llm + ", not of " +
                                 comparison.llm);
    return;
  }
  if (!comparison.llm_changed.empty()) {
    comparison.remarks.push_back("Table 2 is of " + claims.table2_llm +
                                 " as it is shipped: " + comparison.llm_changed);
    return;
  }
  std::vector<const PlatformRow*> h100s;
  for (const PlatformRow& row : comparison.baselines) h100s.push_back(&row);
  h100s.push_back(row_of(comparison, claims.table2_h100));
  std::erase(h100s, nullptr);
  std::vector<const PlatformRow*> asics{row_of(comparison, claims.table2_asic)};
  for (const auto& name : claims.table2_beside) asics.push_back(row_of(comparison, name));
  std::erase(asics, nullptr);
  if (h100s.empty())
    comparison.remarks.push_back("Table 2: " + claims.table2_h100 + " is not compared");
  for (const auto& [axis, id] : kTable2) {
    const auto stated = std::ranges::find(claims.table2, axis, &Table2Row::axis);
    if (stated == claims.table2.end()) continue;
    const ComparedFigure& figure = figure_named(id);
    std::vector<TableCell> bases;
    for (const PlatformRow* row : h100s)
      bases.push_back(table2_cell(*row, figure, "h100", stated->h100));
    comparison.table2.insert(comparison.table2.end(), bases.begin(), bases.end());
    for (const PlatformRow* row : asics) {
      const TableCell cell = table2_cell(*row, figure, "asic", stated->asic);
      comparison.table2.push_back(cell);
      for (const TableCell& base : bases) put_ratio(comparison, figure, base, cell, stated->ratio);
    }
  }
}

/// Axes of the radar; efficiencies are the inverse of a figure.
struct AxisSource {
  std::string_view axis;
  std::string_view figure;
  bool inverse;
};
constexpr std::array<AxisSource, 5> kAxes{{{"decode_single", "decode_single", false},
                                           {"decode_batch64", "decode_batch64", false},
                                           {"energy_efficiency", "energy_batch64", true},
                                           {"cost_efficiency", "cost_batch64", true},
                                           {"context", "context", false}}};

std::optional<ClaimRange> axis_value(const PlatformRow& row, const RadarAxis& axis,
                                     const PaperClaims& claims) {
  const auto source = std::ranges::find(kAxes, axis.id, &AxisSource::axis);
  if (source == kAxes.end()) {  // software: the rubric's
    const auto points = claims.software.find(row.name);
    return points == claims.software.end() ? std::nullopt : std::optional{points->second};
  }
  auto value = value_of(row, figure_named(source->figure));
  if (!value || *value <= 0) return std::nullopt;
  if (source->inverse) *value = 1 / *value;
  return ClaimRange{*value, *value, axis.unit};
}

void fill_radar(Comparison& comparison, const PaperClaims& claims) {
  for (const RadarAxis& axis : claims.axes) {
    RadarValues values{axis, {}};
    for (const PlatformRow& row : comparison.rows)
      values.values.push_back(axis_value(row, axis, claims));
    comparison.radar.push_back(std::move(values));
  }
}
}  // namespace

const ComparedFigure& figure_named(std::string_view id) {
  const auto found = std::ranges::find(kComparedFigures, id, &ComparedFigure::id);
  invariant(found != kComparedFigures.end(), "a figure of the comparison");
  return *found;
}

std::optional<double> value_of(const PlatformRow& row, const ComparedFigure& figure) {
  const auto& cell = row.at(figure.load);
  return cell ? (*cell).*figure.value : std::nullopt;
}

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames{"inside", "below", "above", "none"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(ClaimKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"shipping", "claim", "projection"};
  return kNames[static_cast<std::size_t>(kind)];
}

Verdict verdict_of(std::optional<double> ours, const std::optional<ClaimRange>& stated) {
  if (!ours || !stated) return Verdict::None;
  if (*ours < stated->low * (1 - kStatedTolerance)) return Verdict::Below;
  if (*ours > stated->high * (1 + kStatedTolerance)) return Verdict::Above;
  return Verdict::Inside;
}

void complete(Comparison& comparison, const PaperClaims& claims) {
  fill_table1(comparison, claims);
  fill_table2(comparison, claims);
  fill_radar(comparison, claims);
  comparison.contradictions = contradictions_of(comparison, claims);
}

}  // namespace reticle
