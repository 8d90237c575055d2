// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/cell.hpp"

#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
using Json = nlohmann::json;

std::optional<double> number(const Json& report, const char* path) {
  const Json::json_pointer pointer{path};
  if (!report.contains(pointer) || !report[pointer].is_number()) return std::nullopt;
  return report[pointer].get<double>();
}

Json parsed(std::string_view report) {
  Json json = Json::parse(report, nullptr, /*allow_exceptions=*/false);
  const bool ok = json.is_object() && json.contains("deployment") && json.contains("feasible") &&
                  json.contains("inputs");
  if (!ok) throw ConfigError({"report.json", 0, 0}, "", "expected the report of a run");
  return json;
}
}  // namespace

namespace {
CellFigures figures_of(const Json& report) {
  CellFigures cell;
  cell.nodes = report["deployment"]["nodes"];
  cell.packages = report["deployment"]["packages"];
  cell.dies = report["deployment"]["dies"];
  cell.simulated = report["inputs"]["fidelity"] != "roofline";
  cell.fits = report["feasible"]["fits"];
  for (const Json& limit : report["feasible"]["limits"])
    cell.limits.push_back({limit["limit"], limit["text"]});
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
  if (const auto tokens = get("/prefill_tokens"))
    cell.prompt_tokens = static_cast<std::int64_t>(*tokens);
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
  if (const Json& by = report["limited_by"]; by.is_object()) {
    cell.limited_by = by["category"];
    cell.limited_share = by["share"].is_number() ? by["share"].get<double>() : 0.0;
  } else if (const Json& bound = report["roofline"]["bound_by"]; bound.is_string()) {
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
  const Json report = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object() || !report.contains("inputs") || !report["inputs"].is_object())
    return false;
  if (report["inputs"].value("digest", "") != digest ||
      report.value("reticle_version", "") != build.version ||
      report.value("git_revision", "") != build.git_revision)
    return false;
  try {
    (void)read_cell(text);  // damaged: as if it were not there
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
