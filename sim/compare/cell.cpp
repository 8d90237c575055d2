// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/cell.hpp"

#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"

namespace reticle {

namespace {
using Json = nlohmann::json;

std::optional<double> number(const Json& report, const char* path) {
  const Json::json_pointer pointer{path};
  if (!report.contains(pointer) || !report[pointer].is_number()) return std::nullopt;
  return report[pointer].get<double>();
}

/// How many of something; throws ConfigError where it is none.
std::int64_t count(const Json& report, const char* path) {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  const auto number = whole_number_of(report.at(Json::json_pointer{path}));
  if (!number || *number < 0 || *number > kMost)
    throw ConfigError({"report.json", 0, 0}, path, "expected a whole number up to 10^12");
  return *number;
}

Json parsed(std::string_view report) {
  Json json = parse_json(report, "report.json");
  const bool ok = json.is_object() && json.contains("deployment") && json.contains("feasible") &&
                  json.contains("inputs");
  if (!ok) throw ConfigError({"report.json", 0, 0}, "", "expected the report of a run");
  return json;
}
}  // namespace

namespace {
CellFigures figures_of(const Json& report) {
  CellFigures cell;
  cell.nodes = count(report, "/deployment/nodes");
  cell.packages = count(report, "/deployment/packages");
  cell.dies = count(report, "/deployment/dies");
  cell.simulated = report.at("inputs").at("fidelity") != "roofline";
  cell.fits = report.at("feasible").at("fits").get<bool>();
  for (const Json& limit : report.at("feasible").at("limits"))
    cell.limits.push_back({limit.at("limit"), limit.at("text")});
  if (!cell.fits) {
    cell.problem = cell.limits.empty() ? "does not fit" : cell.limits.front().text;
    cell.limited_by = "capacity";
    return cell;
  }

  const auto get = [&](const char* path) { return number(report, path); };
  cell.tokens_per_s = get("/throughput/output_tokens_per_s");
  if (const auto tpot = get("/latency/tpot_ms/mean")) cell.tokens_per_s_user = 1e3 / *tpot;
  cell.bound_tokens_per_s = get("/roofline/tokens_per_s");
  cell.ttft_ms = get("/latency/ttft_ms/p50");
  if (get("/prefill_tokens")) cell.prompt_tokens = count(report, "/prefill_tokens");
  if (const auto tokens = get("/placement/kv/longest_context"))
    cell.context_ktokens = *tokens / 1e3;
  cell.device_j = get("/energy/scopes/device/per_token_j");
  cell.node_j = get("/energy/scopes/node/per_token_j");
  cell.facility_j = get("/energy/scopes/facility/per_token_j");
  cell.busy_power_w = get("/energy/busy_power_w");
  cell.capex_usd = get("/cost/capex_usd");
  if (const auto node = get("/silicon/node_usd"))
    cell.made_usd = *node * static_cast<double>(cell.nodes);
  cell.usd_per_m_tokens = get("/cost/planned/usd_per_m_tokens");
  cell.usd_per_m_tokens_run = get("/cost/as_simulated/usd_per_m_tokens");
  cell.density = get("/cost/planned/agent_density");
  cell.single_density = get("/cost/single_stream_agent_density");
  if (const Json& by = report.at("limited_by"); by.is_object()) {
    cell.limited_by = by.at("category");
    cell.limited_share = number(by, "/share").value_or(0.0);
  } else if (const Json& bound = report.at("roofline").at("bound_by"); bound.is_string()) {
    cell.limited_by = bound;
  }
  return cell;
}
}  // namespace

CellFigures read_cell(std::string_view text) {
  try {
    return figures_of(parsed(text));
  } catch (const Json::exception&) {
    throw ConfigError({"report.json", 0, 0}, "", "expected the report of a run, whole");
  }
}

bool is_report_of(std::string_view text, const std::string& digest, const BuildInfo& build) {
  try {  // damaged: as if it were not there
    const Json report = parsed(text);
    const auto says = [&](const char* path, const std::string& value) {
      const Json::json_pointer pointer{path};
      return report.contains(pointer) && report[pointer] == value;
    };
    if (!says("/inputs/digest", digest) || !says("/reticle_version", build.version) ||
        !says("/git_revision", build.git_revision))
      return false;
    (void)read_cell(text);
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
