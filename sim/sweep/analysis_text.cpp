// SPDX-License-Identifier: Apache-2.0
// The analysis as JSON, CSV and a page.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"
#include "sim/config/sweep_figures.hpp"
#include "sim/sweep/analysis.hpp"
#include "sim/sweep/point_values.hpp"
#include "sim/sweep/report_page.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

Json axes_json(const SweepSpec& sweep) {
  Json axes = Json::array();
  for (const SweepColumn* column : columns_of(sweep)) {
    const bool numbers = std::ranges::all_of(column->values, [](const std::string& v) {
      return std::holds_alternative<double>(value_of_text(v));
    });
    axes.push_back({{"key", column->key}, {"values", column->values}, {"numeric", numbers}});
  }
  return axes;
}

Json figures_json() {
  Json figures = Json::array();
  const auto add = [&](const SweepFigure& f) {
    figures.push_back({{"name", f.name},
                       {"unit", f.unit},
                       {"better", f.better ? (*f.better == Better::More ? "more" : "less") : ""}});
  };
  for (const SweepFigure& f : kSweepFigures) add(f);
  for (const SweepFigure& f : kSweepFacts) add(f);
  return figures;
}

/// What a damaged store may hold instead of UTF-8 is replaced.
std::string text_of(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json object_of(const std::string& text, const std::string& label) {
  Json json = parse_json<Json>(text, label);
  if (!json.is_object()) throw ConfigError({label, 1, 1}, "", "expected a JSON object");
  return json;
}

Json point_json(const SweepSpec& sweep, const StoredPoint& point) {
  const PointResult result = result_of(sweep, point.point, point.answer);
  const PointAnswer& answer = point.answer;
  Json json{
      {"id", point.id},
      {"inputs", object_of(point.inputs, "inputs of a point")},
      {"fidelity", point.point.fidelity},
      {"block", point.point.block},
      {"row", point.point.row},
      {"status", name_of(answer.status)},
      {"reason", answer.reason},
      {"within_limits", answer.status == PointStatus::Ok ? Json(result.usable) : Json(nullptr)},
      {"digest", answer.digest},
      {"wall_s", answer.wall_s},
      {"peak_rss_bytes", answer.peak_rss_bytes},
      {"outputs",
       answer.outputs.empty() ? Json(nullptr) : object_of(answer.outputs, "outputs of a point")}};
  return json;
}

Json number_json(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

/// RFC 4180.
std::string csv_cell(const Json& value) {
  if (value.is_null()) return {};
  std::string text = value.is_string() ? value.get<std::string>() : text_of(value);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string{"\"\""} : std::string(1, c);
  return quoted + '"';
}

/// Of a script: "</" would end it.
std::string inside_script(std::string json) {
  for (std::size_t at = 0; (at = json.find("</", at)) != std::string::npos; at += 3)
    json.replace(at, 2, "<\\/");
  return json;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}
}  // namespace

std::string points_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points) {
  check_points(sweep, points);
  Json all = Json::array();
  for (const StoredPoint& point : points) all.push_back(point_json(sweep, point));
  return text_of(all, 1) + "\n";
}

std::string points_csv(const SweepSpec& sweep, const std::vector<StoredPoint>& points) {
  check_points(sweep, points);
  std::string head = "id";
  for (const SweepColumn* column : columns_of(sweep)) head += "," + csv_cell(column->key);
  head += ",fidelity,status,reason,digest,wall_s,peak_rss_bytes";
  for (const auto* table : {"facts", "figures"})
    for (const SweepFigure& f :
         table == std::string_view{"facts"}
             ? std::vector<SweepFigure>(kSweepFacts.begin(), kSweepFacts.end())
             : std::vector<SweepFigure>(kSweepFigures.begin(), kSweepFigures.end()))
      head += "," + std::string{f.name};
  std::string text = head + "\n";
  for (const StoredPoint& point : points) {
    const Json json = point_json(sweep, point);
    text += std::to_string(point.id);
    for (const SweepColumn* column : columns_of(sweep))
      text += "," + csv_cell(json["inputs"].value(column->key, Json(nullptr)));
    for (const char* key : {"fidelity", "status", "reason", "digest", "wall_s", "peak_rss_bytes"})
      text += "," + csv_cell(json[key]);
    const Json& outputs = json["outputs"];
    const auto add = [&](const SweepFigure& f) {
      const std::string name{f.name};
      text += "," + (outputs.is_object() && outputs.contains(name) ? csv_cell(outputs[name]) : "");
    };
    for (const SweepFigure& f : kSweepFacts) add(f);
    for (const SweepFigure& f : kSweepFigures) add(f);
    text += "\n";
  }
  return text;
}

std::string analysis_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                          const SweepAnalysis& analysis, const SweepIdentity& identity) {
  Json json{{"schema", 1},
            {"name", sweep.name},
            {"title", sweep.title},
            {"reticle_version", identity.version},
            {"git_revision", identity.revision},
            {"run",
             {{"platform", sweep.base.platform},
              {"llm", sweep.base.llm},
              {"workload", sweep.base.workload},
              {"fidelity", *sweep.base.fidelity}}},
            {"axes", axes_json(sweep)},
            {"figures", figures_json()}};
  json["objectives"] = Json::array();
  for (const SweepObjective& o : sweep.objectives)
    json["objectives"].push_back(
        {{"name", o.name}, {"better", o.better == Better::More ? "more" : "less"}});
  json["limits"] = Json::array();
  for (const Expression& limit : sweep.limits) json["limits"].push_back(limit.text());
  json["front"] = analysis.front;
  json["notes"] = analysis.notes;
  json["knees"] = analysis.knees;
  json["sensitivity"] = Json::array();
  for (const ObjectiveSensitivity& s : analysis.sensitivity) {
    Json axes = Json::array();
    for (const AxisSensitivity& a : s.axes)
      axes.push_back({{"key", a.key},
                      {"first", number_json(a.first)},
                      {"total", number_json(a.total)},
                      {"first_margin", number_json(a.first_margin)},
                      {"total_margin", number_json(a.total_margin)}});
    json["sensitivity"].push_back(
        {{"objective", s.objective}, {"method", s.method}, {"rows", s.rows}, {"axes", axes}});
  }
  json["points"] = Json::array();
  for (const StoredPoint& point : points) json["points"].push_back(point_json(sweep, point));
  return text_of(json) + "\n";
}

std::string analysis_page(const std::string& analysis_json, const std::string& title) {
  std::string page{kReportPage};
  const auto put = [&](std::string_view mark, const std::string& text) {
    page.replace(page.find(mark), mark.size(), text);
  };
  put("@TITLE@", escaped(title));
  put("@DATA@", inside_script(analysis_json));
  return page;
}

}  // namespace reticle
