// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "sim/registry/validation.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

Json or_null(const std::string& text) { return text.empty() ? Json{} : Json(text); }
Json or_null(const std::optional<double>& figure) { return figure ? Json(*figure) : Json{}; }

std::string_view name_of(Standing standing) {
  constexpr std::array<std::string_view, 3> kNames{"worse", "within", "better"};
  return kNames[static_cast<std::size_t>(standing)];
}

Json to_json(const ArmResult& arm) {
  return {{"cell", arm.cell},
          {"operating_point", or_null(arm.operating_point)},
          {"next_point", or_null(arm.next_point)},
          {"value", or_null(arm.value)},
          {"problem", or_null(arm.problem)},
          {"limited_by", or_null(arm.limited_by)},
          {"limited_share", arm.limited_share}};
}

Json to_json(const TestedPoint& point, const ClaimTest& test) {
  Json labels = Json::object();
  for (std::size_t a = 0; a < point.labels.size(); ++a)
    labels[test.conditions[a].name] = point.labels[a];
  Json treatments = Json::array();
  for (std::size_t t = 0; t < point.treatments.size(); ++t) {
    const Comparand& comparand = point.treatments[t];
    Json item = to_json(comparand.arm);
    item["name"] = test.treatments[t].name;
    item["figure"] = or_null(comparand.figure);
    item["figure_low"] = or_null(comparand.low);
    item["figure_high"] = or_null(comparand.high);
    item["standing"] = comparand.standing ? Json(name_of(*comparand.standing)) : Json{};
    treatments.push_back(std::move(item));
  }
  return {{"conditions", labels},
          {"baseline", point.baseline ? to_json(*point.baseline) : Json{}},
          {"treatments", treatments},
          {"best", point.best ? Json(test.treatments[*point.best].name) : Json{}}};
}

Json to_json(const Judgement& judgement) {
  return {{"verdict", judgement.verdict ? Json(name_of(*judgement.verdict)) : Json{}},
          {"condition", or_null(judgement.condition)},
          {"low", or_null(judgement.low)},
          {"high", or_null(judgement.high)}};
}

Json to_json(const TestResult& result) {
  const ClaimTest& test = result.test;
  Json treatments = Json::array(), points = Json::array();
  for (std::size_t t = 0; t < test.treatments.size(); ++t) {
    Json item{{"name", test.treatments[t].name},
              {"what", test.treatments[t].what},
              {"bound", test.treatments[t].bound}};
    item.update(to_json(result.treatments[t]));
    treatments.push_back(std::move(item));
  }
  for (const TestedPoint& point : result.points) points.push_back(to_json(point, test));
  Json claim;
  if (!test.claim.empty())
    claim = {{"id", test.claim},          {"low", test.claimed.low},
             {"high", test.claimed.high}, {"at_least", test.claimed.at_least},
             {"unit", test.claim_unit},   {"tolerance", test.claimed.tolerance}};
  Json out{{"id", test.id},
           {"title", test.title},
           {"claim", claim},
           {"form", kForms[static_cast<std::size_t>(test.form)]},
           {"metric",
            {{"figure", test.metric.figure},
             {"title", test.metric.title},
             {"unit", test.metric.unit},
             {"better", test.metric.lower_is_better ? "lower" : "higher"}}},
           {"baseline", test.baseline ? Json(test.baseline->what) : Json{}}};
  out.update(to_json(result.overall));
  out["bound_before"] = or_null(result.bound_before);
  out["bound_after"] = or_null(result.bound_after);
  out["treatments"] = treatments;
  out["points"] = points;
  return out;
}

Json to_json(const Arithmetic& arithmetic) {
  Json steps = Json::array(), stated = Json::array();
  for (const IntervalStep& step : arithmetic.steps)
    steps.push_back({{"name", step.name},
                     {"low", step.range.low},
                     {"high", step.range.high},
                     {"unit", step.unit},
                     {"source", or_null(step.source)},
                     {"of", step.of}});
  for (const StatedInterval& item : arithmetic.stated)
    stated.push_back({{"name", item.name},
                      {"low", item.range.low},
                      {"high", item.range.high},
                      {"source", item.source}});
  return {{"steps", steps}, {"stated", stated}};
}

Json to_json(const RefutationResult& result) {
  const Refutation& asked = result.refutation;
  Json where = Json::array();
  for (const Refutation::Labels& only : asked.where)
    where.push_back({{"axis", only.axis}, {"labels", only.labels}});
  return {{"test", asked.test},
          {"arm", or_null(asked.arm)},
          {"points", asked.everywhere ? "every" : "some"},
          {"below", or_null(asked.below)},
          {"at_least", or_null(asked.from)},
          {"where", where},
          {"holds", result.holds},
          {"of", result.of},
          {"came_true", result.came_true}};
}

Json to_json(const EntryResult& result, const Validation& validation) {
  Json tests = Json::array(), refuted_if = Json::array();
  for (const TestResult& test : result.tests) tests.push_back(to_json(test));
  for (const RefutationResult& item : result.refutations) refuted_if.push_back(to_json(item));
  const Experiment& experiment = result.experiment;
  return {{"id", result.entry.id},
          {"name", result.entry.name},
          {"estimated_unlock_value", result.entry.unlock},
          {"experiment", experiment.file},
          {"hypothesis", experiment.hypothesis},
          {"falsifier", experiment.falsifier},
          {"refuted_if", refuted_if},
          {"falsifier_came_true", refuted_if.empty() ? Json{} : Json(result.refuted)},
          {"verdict", name_of(result.verdict)},
          {"conditions", result.conditions},
          {"needs", experiment.needs},
          {"notes", experiment.notes},
          {"arithmetic", experiment.arithmetic ? to_json(*experiment.arithmetic) : Json{}},
          {"computing_command", or_null(computing_command(result, validation))},
          {"tests", tests}};
}
}  // namespace

std::string validation_json(const Validation& validation) {
  Json entries = Json::array(), cells = Json::array(), imports = Json::array();
  for (const EntryResult& result : validation.entries)
    entries.push_back(to_json(result, validation));
  for (const Cell& cell : validation.cells)
    cells.push_back({{"name", cell.name},
                     {"report", "cells/" + cell.name + ".json"},
                     {"command", cell.command}});
  for (const ImportedConfig& config : validation.imports)
    imports.push_back({{"name", config.name},
                       {"model_type", or_null(config.model_type)},
                       {"problem", or_null(config.problem)}});
  const Json document{{"schema", "reticle-registry-validation-3"},
                      {"reticle_version", validation.version},
                      {"git_revision", validation.revision},
                      {"entries", entries},
                      {"architectures", validation.architectures},
                      {"imports", imports},
                      {"model_configs", or_null(validation.model_configs)},
                      {"cells", cells}};
  return document.dump(2) + "\n";
}

}  // namespace reticle
