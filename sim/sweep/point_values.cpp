// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_values.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace reticle {

using Json = nlohmann::ordered_json;

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

std::map<std::string, ExpressionValue> outputs_of(const PointAnswer& answer) {
  std::map<std::string, ExpressionValue> outputs;
  if (answer.outputs.empty()) return outputs;
  const Json json = Json::parse(answer.outputs);
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
  if (answer.outputs.empty()) return {};
  const Json json = Json::parse(answer.outputs);
  return json.value("broken", std::vector<std::string>{});
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
