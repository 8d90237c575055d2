// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_values.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"

namespace reticle {

using Json = nlohmann::ordered_json;

void check_points(const SweepSpec& sweep, const std::vector<StoredPoint>& points) {
  const std::size_t columns = columns_of(sweep).size();
  for (const StoredPoint& point : points)
    if (point.point.values.size() != columns)
      throw ConfigError({}, "point " + std::to_string(point.id),
                        "expected the store to hold " + std::to_string(columns) +
                            " values of it, one per key of the axes, got " +
                            std::to_string(point.point.values.size()));
}

PointValues values_of(const SweepSpec& sweep, const DesignPoint& point) {
  PointValues values{{"platform", sweep.base.platform},
                     {"llm", sweep.base.llm},
                     {"workload", sweep.base.workload},
                     {"serving", sweep.base.serving.value_or("none")}};
  const auto columns = columns_of(sweep);
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (point.values[c]) values[columns[c]->key] = *point.values[c];
  return values;
}

std::optional<ExpressionValue> value_in(const PointValues& values, const std::string& name) {
  const auto found = values.find(name);
  if (found == values.end()) return std::nullopt;
  return value_of_text(found->second);
}

namespace {
Json outputs_object(const PointAnswer& answer) {
  if (answer.outputs.empty()) return Json::object();
  Json json = parse_json<Json>(answer.outputs, "outputs of a point");
  if (!json.is_object())
    throw ConfigError({"outputs of a point", 1, 1}, "", "expected a JSON object");
  return json;
}
}  // namespace

std::map<std::string, ExpressionValue> outputs_of(const PointAnswer& answer) {
  std::map<std::string, ExpressionValue> outputs;
  const Json json = outputs_object(answer);
  for (const auto& [name, value] : json.items()) {
    if (value.is_number()) outputs[name] = value.get<double>();
    if (value.is_string()) outputs[name] = value.get<std::string>();
  }
  return outputs;
}

std::string inputs_json(const SweepSpec& sweep, const DesignPoint& point) {
  Json inputs = Json::object();
  const auto columns = columns_of(sweep);
  for (std::size_t c = 0; c < columns.size(); ++c)
    inputs[columns[c]->key] = point.values[c] ? Json(*point.values[c]) : Json(nullptr);
  return inputs.dump();
}

std::vector<std::pair<std::string, std::string>> derived_of(const SweepSpec& sweep,
                                                            const DesignPoint& point) {
  std::vector<std::pair<std::string, std::string>> found;
  const PointValues values = values_of(sweep, point);
  for (const DerivedKey& derived : sweep.derived) {
    const auto number =
        derived.value.number([&](const std::string& name) { return value_in(values, name); });
    if (!number) continue;  // of an axis that does not apply here
    const SweepSpan written{.whole = derived.whole, .unit = derived.unit};
    found.emplace_back(derived.key, text_of(written, *number));
  }
  return found;
}

std::vector<std::string> broken_of(const PointAnswer& answer) {
  std::vector<std::string> broken;
  const Json json = outputs_object(answer);
  if (const auto found = json.find("broken"); found != json.end())
    for (const Json& limit : *found)
      if (limit.is_string()) broken.push_back(limit.get<std::string>());
  return broken;
}

namespace {
/// What is known of a point that ran.
NameLookup lookup_of(const SweepSpec& sweep, const DesignPoint& point, const PointAnswer& answer) {
  return [outputs = outputs_of(answer), values = values_of(sweep, point)](
             const std::string& name) -> std::optional<ExpressionValue> {
    const auto found = outputs.find(name);
    return found != outputs.end() ? std::optional{found->second} : value_in(values, name);
  };
}
/// Whether a broken limit takes a point out of fronts and searches. Rooflines that only choose what
/// is run next have the energy of a run and less than its time: their power says nothing.
bool disqualifies(const SweepSpec& sweep, const DesignPoint& point, const std::string& limit) {
  if (std::ranges::find(sweep.allowed, limit) != sweep.allowed.end()) return false;
  const bool first_round = sweep.halving && point.fidelity != *sweep.base.fidelity;
  return !first_round || (limit != "power" && limit != "heat_flux");
}
}  // namespace

std::set<std::string> absent_names(const SweepSpec& sweep, const DesignPoint& point,
                                   const PointAnswer& answer) {
  const NameLookup lookup = lookup_of(sweep, point, answer);
  std::set<std::string> absent;
  const auto look = [&](const Expression& expression) {
    for (const std::string& name : expression.names())
      if (!lookup(name)) absent.insert(name);
  };
  for (const SweepObjective& objective : sweep.objectives) look(objective.value);
  for (const Expression& limit : sweep.limits) look(limit);
  return absent;
}

bool breaks(const SweepSpec& sweep, const DesignPoint& point, const PointAnswer& answer,
            const Expression& limit) {
  return limit.number(lookup_of(sweep, point, answer)) == 0.0;
}

PointResult result_of(const SweepSpec& sweep, const DesignPoint& point, const PointAnswer& answer) {
  PointResult result;
  if (answer.status != PointStatus::Ok) return result;
  const NameLookup lookup = lookup_of(sweep, point, answer);
  for (const SweepObjective& objective : sweep.objectives) {
    const auto value = objective.value.number(lookup);
    if (!value) {
      result.objectives.clear();
      return result;
    }
    result.objectives.push_back(objective.better == Better::More ? *value : -*value);
  }
  result.within_limits = std::ranges::all_of(
      sweep.limits, [&](const Expression& limit) { return limit.number(lookup).value_or(0) != 0; });
  result.usable =
      result.within_limits && std::ranges::none_of(broken_of(answer), [&](const auto& l) {
        return disqualifies(sweep, point, l);
      });
  return result;
}

}  // namespace reticle
