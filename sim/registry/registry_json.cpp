// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "sim/registry/registry.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

Json to_json(const UnlockClaim& claim) {
  return {{"id", claim.id},     {"low", claim.low},
          {"high", claim.high}, {"at_least", claim.at_least},
          {"unit", claim.unit}, {"basis", claim.basis.empty() ? Json{} : Json(claim.basis)}};
}

Json to_json(const KnownSolution& solution) {
  return {{"title", solution.title},
          {"citation", solution.citation},
          {"maturity", name_of(solution.maturity)},
          {"stated", solution.stated.empty() ? Json{} : Json(solution.stated)}};
}

Json to_json(const Contributor& person) {
  return {{"name", person.name},
          {"github_handle", person.github_handle ? Json(*person.github_handle) : Json{}},
          {"contribution", person.contribution}};
}

Json to_json(const HistoryItem& item) {
  return {{"date", to_string(item.date)},
          {"change", item.change},
          {"status", item.status ? Json(name_of(*item.status)) : Json{}},
          {"evidence", item.evidence.empty() ? Json{} : Json(item.evidence)}};
}

Json to_json(const LintFinding& finding) {
  return {{"severity", finding.severity == Severity::Error ? "error" : "warning"},
          {"rule", finding.rule},
          {"file", finding.at.file},
          {"line", finding.at.line},
          {"column", finding.at.column},
          {"text", finding.text}};
}

template <class T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return list;
}

Json to_json(const Entry& entry, const Date& as_of) {
  return {{"id", entry.id},
          {"name", entry.name},
          {"type", name_of(entry.type)},
          {"priority", entry.priority},
          {"difficulty", entry.difficulty},
          {"status", name_of(entry.status)},
          {"estimated_unlock_value", entry.unlock},
          {"claims", list_of(entry.claims)},
          {"depends_on", entry.depends_on},
          {"known_solutions", list_of(entry.solutions)},
          {"blockers", entry.blockers},
          {"contributors", list_of(entry.contributors)},
          {"tags", entry.tags},
          {"last_reviewed", to_string(entry.last_reviewed)},
          {"review_cadence_days", entry.cadence_days},
          {"review_due", to_string(entry.due())},
          {"stale", entry.stale(as_of)},
          {"history", list_of(entry.history)},
          {"body", entry.body}};
}
}  // namespace

std::string lint_json(const Registry& registry, const Date& as_of) {
  const Json document{{"schema", "reticle-registry-lint-1"},
                      {"as_of", to_string(as_of)},
                      {"entries", registry.entries.size()},
                      {"errors", registry.errors()},
                      {"warnings", registry.findings.size() - registry.errors()},
                      {"findings", list_of(registry.findings)}};
  return document.dump(2) + "\n";
}

std::string entry_json(const Entry& entry, const Date& as_of) {
  return to_json(entry, as_of).dump(2) + "\n";
}

std::string registry_json(const Registry& registry, const Date& as_of) {
  Json entries = Json::array();
  for (const Entry& entry : registry.entries) entries.push_back(to_json(entry, as_of));
  const Json document{
      {"schema", "reticle-registry-1"}, {"as_of", to_string(as_of)}, {"entries", entries}};
  return document.dump(2) + "\n";
}

}  // namespace reticle
