// SPDX-License-Identifier: Apache-2.0
// The analysis as JSON, CSV and a page.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"
#include "sim/config/sweep_figures.hpp"
#include "sim/sweep/analysis.hpp"
#include "sim/sweep/point_values.hpp"
#include "sim/sweep/report_page.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

/// What the values count, so that "512 MB" comes before "1 GB"; empty: some are words.
Json numbers_of(const std::set<std::string>& values) {
  Json numbers = Json::object();
  for (const std::string& text : values) {
    const ExpressionValue value = value_of_text(text);
    if (!std::holds_alternative<double>(value)) return Json::object();
    numbers[text] = std::get<double>(value);
  }
  return numbers;
}

/// A member per key; `axis` tells which change together.
Json axes_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points) {
  const bool samples =
      sweep.design.kind != DesignKind::Grid && sweep.design.kind != DesignKind::Pareto;
  Json axes = Json::array();
  for (std::size_t a = 0; a < sweep.axes.size(); ++a)
    for (const SweepColumn& column : sweep.axes[a].columns) {
      std::set<std::string> values(column.values.begin(), column.values.end());
      for (const StoredPoint& point : points)
        if (const auto& value = point.point.values[axes.size()]) values.insert(*value);
      const Json numbers = numbers_of(values);
      const auto& when = sweep.axes[a].when;
      axes.push_back({{"key", column.key},
                      {"axis", a},
                      {"values", column.values},
                      {"numeric", !numbers.empty()},
                      {"numbers", numbers},
                      {"sampled", samples && sweep.axes[a].span.has_value()},
                      {"when", when ? Json(when->text()) : Json(nullptr)}});
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
  const bool ran = answer.status == PointStatus::Ok;
  Json objectives = Json::array();  // as they are stated; empty where one is absent
  for (std::size_t o = 0; o < result.objectives.size(); ++o)
    objectives.push_back(sweep.objectives[o].better == Better::More ? result.objectives[o]
                                                                    : -result.objectives[o]);
  Json derived = Json::object();
  for (const auto& [key, value] : derived_of(sweep, point.point)) derived[key] = value;
  return {{"id", point.id},
          {"inputs", object_of(point.inputs, "inputs of a point")},
          {"derived", derived},
          {"fidelity", point.point.fidelity},
          {"block", point.point.block},
          {"row", point.point.row},
          {"status", name_of(answer.status)},
          {"reason", answer.reason},
          {"within_limits", ran ? Json(result.within_limits) : Json(nullptr)},
          {"broken", ran ? Json(broken_of(answer)) : Json(nullptr)},
          {"candidate", ran ? Json(result.usable) : Json(nullptr)},
          {"objectives", objectives},
          {"digest", answer.digest},
          {"wall_s", answer.wall_s},
          {"peak_rss_bytes", answer.peak_rss_bytes},
          {"outputs", answer.outputs.empty() ? Json(nullptr)
                                             : object_of(answer.outputs, "outputs of a point")}};
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

/// Of a script: "</" would end it; "<\\/" has three letters.
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

std::string points_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                        const SweepIdentity& identity) {
  check_points(sweep, points);
  Json all = Json::array();
  for (const StoredPoint& point : points) {
    Json json = point_json(sweep, point);
    json["reticle_version"] = identity.version;
    json["git_revision"] = identity.revision;
    all.push_back(std::move(json));
  }
  return text_of(all, 1) + "\n";
}

std::string points_csv(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                       const SweepIdentity& identity) {
  check_points(sweep, points);
  std::vector<std::string_view> names;
  for (const SweepFigure& f : kSweepFacts) names.push_back(f.name);
  for (const SweepFigure& f : kSweepFigures) names.push_back(f.name);
  constexpr std::array<const char*, 7> kOfPoint{
      "fidelity", "status", "reason", "within_limits", "digest", "wall_s", "peak_rss_bytes"};
  std::string text = "id";
  for (const SweepColumn* column : columns_of(sweep)) text += "," + csv_cell(column->key);
  for (const DerivedKey& derived : sweep.derived) text += "," + csv_cell(derived.key);
  for (const char* key : kOfPoint) text += "," + std::string{key};
  text += ",broken,reticle_version,git_revision";
  for (const std::string_view name : names) text += "," + std::string{name};
  text += "\n";
  const auto cell = [](const Json& object, const std::string& key) {
    return "," + (object.is_object() && object.contains(key) ? csv_cell(object[key]) : "");
  };
  for (const StoredPoint& point : points) {
    const Json json = point_json(sweep, point);
    text += std::to_string(point.id);
    for (const SweepColumn* column : columns_of(sweep)) text += cell(json["inputs"], column->key);
    for (const DerivedKey& derived : sweep.derived) text += cell(json["derived"], derived.key);
    for (const char* key : kOfPoint) text += cell(json, key);
    text += "," + csv_cell(fmt::format("{}", fmt::join(broken_of(point.answer), " ")));
    text += "," + csv_cell(identity.version) + "," + csv_cell(identity.revision);
    for (const std::string_view name : names) text += cell(json["outputs"], std::string{name});
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
            {"axes", axes_json(sweep, points)},
            {"figures", figures_json()}};
  json["objectives"] = Json::array();
  for (const SweepObjective& o : sweep.objectives)
    json["objectives"].push_back(
        {{"name", o.name}, {"better", o.better == Better::More ? "more" : "less"}});
  json["limits"] = Json::array();
  for (const Expression& limit : sweep.limits) json["limits"].push_back(limit.text());
  json["allow"] = sweep.allowed;
  json["front"] = analysis.front;
  json["best"] = analysis.best;
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
                      {"total_margin", number_json(a.total_margin)},
                      {"applies_to", a.applies_to ? Json(*a.applies_to) : Json(nullptr)}});
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
