// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "sim/compare/comparison.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;
constexpr int kComparisonSchema = 2;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json range_json(const std::optional<ClaimRange>& range) {
  if (!range) return nullptr;
  return {{"low", range->low}, {"high", range->high}};
}

Json cell_json(const std::optional<CellFigures>& cell) {
  if (!cell) return nullptr;
  Json limits = Json::array();
  for (const BrokenLimit& limit : cell->limits)
    limits.push_back({{"limit", limit.limit}, {"text", limit.text}});
  return {{"fits", cell->fits},
          {"problem", cell->fits ? Json(nullptr) : Json(cell->problem)},
          {"simulated", cell->simulated},
          {"nodes", cell->nodes},
          {"packages", cell->packages},
          {"dies", cell->dies},
          {"bound_tokens_per_s", or_null(cell->bound_tokens_per_s)},
          {"limited_by", cell->limited_by},
          {"limited_share", cell->limited_share},
          {"limits", std::move(limits)}};
}

Json row_json(const PlatformRow& row, const PaperClaims& claims) {
  Json cells = Json::object(), figures = Json::object(), frontier = Json::array();
  for (std::size_t i = 0; i < kLoadCount; ++i)
    cells[std::string{kLoadNames[i]}] = cell_json(row.cells[i]);
  for (const ComparedFigure& figure : kComparedFigures) {
    const auto value = value_of(row, figure);
    Json out{{"deployment", or_null(value)}};
    if (figure.divisible)
      out["per_chip"] =
          value ? Json(*value / static_cast<double>(row.at(figure.load)->packages)) : Json(nullptr);
    figures[std::string{figure.id}] = std::move(out);
  }
  for (const FrontierPoint& point : row.frontier)
    frontier.push_back({{"batch", point.batch},
                        {"tokens_per_s_chip", point.tokens_per_s_chip},
                        {"tokens_per_s_user", point.tokens_per_s_user}});
  const auto software = claims.software.find(row.name);
  return {{"platform", row.name},
          {"title", row.title},
          {"status", row.status},
          {"kind", name_of(row.kind)},
          {"deployment", row.deployment},
          {"table1_deployment", row.table1_deployment},
          {"software_points",
           software == claims.software.end() ? Json(nullptr) : range_json(software->second)},
          {"figures", std::move(figures)},
          {"cells", std::move(cells)},
          {"frontier", std::move(frontier)}};
}

Json table_json(const std::vector<TableCell>& table) {
  Json rows = Json::array();
  for (const TableCell& cell : table)
    rows.push_back(
        {{"figure", cell.figure},
         {"column", cell.column.empty() ? Json(nullptr) : Json(cell.column)},
         {"platform", cell.platform},
         {"unit", cell.unit},
         {"stated", range_json(cell.stated)},
         {"ours", or_null(cell.ours)},
         {"ours_p5", cell.ours_between ? Json(cell.ours_between->p5) : Json(nullptr)},
         {"ours_p95", cell.ours_between ? Json(cell.ours_between->p95) : Json(nullptr)},
         {"verdict", cell.verdict == Verdict::None ? Json(nullptr) : Json(name_of(cell.verdict))},
         {"limited_by", cell.limited_by},
         {"note", cell.note}});
  return rows;
}

Json uncertainty_json(const std::optional<Uncertainty>& uncertainty) {
  if (!uncertainty) return nullptr;
  Json figures = Json::array(), flips = Json::array();
  for (const UncertainFigure& f : uncertainty->figures) {
    Json tornado = Json::array();
    for (const TornadoBar& bar : f.tornado)
      tornado.push_back({{"constant", bar.path}, {"at_low", bar.at_low}, {"at_high", bar.at_high}});
    figures.push_back({{"figure", f.figure},
                       {"platform", f.platform},
                       {"nominal", f.nominal},
                       {"p5", f.quantiles.p5},
                       {"p50", f.quantiles.p50},
                       {"p95", f.quantiles.p95},
                       {"tornado", std::move(tornado)}});
  }
  for (const Flip& f : uncertainty->flips)
    flips.push_back({{"table", f.table},
                     {"figure", f.figure},
                     {"column", f.column.empty() ? Json(nullptr) : Json(f.column)},
                     {"platform", f.platform},
                     {"at_p5", name_of(f.at_p5)},
                     {"nominal", name_of(f.nominal)},
                     {"at_p95", name_of(f.at_p95)}});
  return {{"samples", uncertainty->samples},
          {"seed", uncertainty->seed},
          {"figures", std::move(figures)},
          {"flips", std::move(flips)}};
}

Json radar_json(const Comparison& comparison, const PaperClaims& claims) {
  Json axes = Json::array();
  for (const RadarValues& values : comparison.radar) {
    const RadarAxis& axis = values.axis;
    Json by_platform = Json::object();
    for (std::size_t i = 0; i < values.values.size(); ++i)
      by_platform[comparison.rows[i].name] = range_json(values.values[i]);
    axes.push_back({{"axis", axis.id},
                    {"title", axis.title},
                    {"unit", axis.unit},
                    {"ratio", axis.ratio},
                    {"low", axis.low},
                    {"high", axis.high},
                    {"values", std::move(by_platform)}});
  }
  return {{"reference", claims.radar_reference},
          {"excluded", claims.radar_excluded},
          {"axes", std::move(axes)}};
}
}  // namespace

std::string comparison_json(const Comparison& comparison, const PaperClaims& claims,
                            const BuildInfo& build) {
  Json figures = Json::array(), rows = Json::array(), contradictions = Json::array();
  for (const ComparedFigure& figure : kComparedFigures)
    figures.push_back({{"figure", figure.id},
                       {"title", figure.title},
                       {"unit", figure.unit},
                       {"load", kLoadNames[static_cast<std::size_t>(figure.load)]},
                       {"higher_is_better", figure.higher_is_better}});
  for (const PlatformRow& row : comparison.rows) rows.push_back(row_json(row, claims));
  for (const Contradiction& c : comparison.contradictions)
    contradictions.push_back({{"platform", c.platform}, {"kind", c.kind}, {"text", c.text}});
  const Json all{{"schema", kComparisonSchema},
                 {"reticle_version", build.version},
                 {"git_revision", build.git_revision},
                 {"inputs",
                  {{"llm", comparison.llm},
                   {"weights", comparison.weights},
                   {"workload", comparison.workload},
                   {"utilisation", comparison.utilisation}}},
                 {"figures", std::move(figures)},
                 {"platforms", std::move(rows)},
                 {"radar", radar_json(comparison, claims)},
                 {"table1", table_json(comparison.table1)},
                 {"table2", table_json(comparison.table2)},
                 {"contradictions", std::move(contradictions)},
                 {"uncertainty", uncertainty_json(comparison.uncertainty)},
                 {"remarks", comparison.remarks}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace reticle
