// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/priced_json.hpp"

#include <algorithm>
#include <cmath>

#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"
#include "sim/metrics/findings.hpp"
#include "sim/metrics/provenance.hpp"

namespace reticle {

namespace {
/// The same energy as far as different meters see it.
Json scopes_json(const EnergyReport& energy, double pue, std::int64_t output_tokens) {
  const auto scope = [&](double joules, std::string_view what) -> Json {
    return {{"total_j", joules},
            {"per_token_j", or_null(ratio(joules, static_cast<double>(output_tokens)))},
            {"what", what}};
  };
  return {{"device", scope(energy.device_j(), "dies, their stacks and links inside packages")},
          {"node", scope(energy.total_j(), "and hosts, switches, conversion, all other links")},
          {"facility", scope(energy.total_j() * pue, "and cooling and distribution: node x PUE")}};
}

Json energy_json(const EnergyReport& energy, double pue, std::int64_t output_tokens) {
  Json components = Json::object();
  for (const auto& component : energy.components) components[component.name] = component.joules;
  const auto& power = energy.busy_power_w;
  const auto& flux = energy.heat_flux_w_per_mm2;
  return {
      {"total_j", energy.total_j()},
      {"per_token_j", or_null(ratio(energy.total_j(), static_cast<double>(output_tokens)))},
      {"average_power_w", or_null(energy.average_power_w)},
      {"busy_power_w", or_null(power.value)},
      {"power_limit_w", or_null(power.limit)},
      {"exceeds_power_limit", power.limit ? Json(power.exceeded()) : Json(nullptr)},
      {"heat_flux_w_per_mm2", or_null(flux.value)},
      {"heat_flux_limit_w_per_mm2", or_null(flux.limit)},
      {"exceeds_heat_flux_limit", flux.limit && flux.value ? Json(flux.exceeded()) : Json(nullptr)},
      {"scopes", scopes_json(energy, pue, output_tokens)},
      {"by_component", std::move(components)}};
}

Json cost_at_json(const CostAtUtilisation& cost) {
  return {{"utilisation", or_null(cost.utilisation)},
          {"capital_usd_per_m_tokens", or_null(cost.capital_usd_per_m_tokens)},
          {"nre_usd_per_m_tokens", or_null(cost.nre_usd_per_m_tokens)},
          {"energy_usd_per_m_tokens", or_null(cost.energy_usd_per_m_tokens)},
          {"hosting_usd_per_m_tokens", or_null(cost.hosting_usd_per_m_tokens)},
          {"usd_per_m_tokens", or_null(cost.usd_per_m_tokens)},
          {"agent_density", or_null(cost.agent_density)}};
}

Json cost_json(const CostReport& cost, const CostParams& params) {
  return {{"capex_usd", or_null(cost.capex_usd)},
          {"usd_per_m_tokens", or_null(cost.planned.usd_per_m_tokens)},
          {"agent_density", or_null(cost.planned.agent_density)},
          {"single_stream_agent_density", or_null(cost.single_stream_agent_density)},
          {"stream_rate_tokens_per_s", params.stream_rate_tokens_per_s},
          {"lifetime_years", params.lifetime_years},
          {"planned", cost_at_json(cost.planned)},
          {"as_simulated", cost_at_json(cost.as_simulated)}};
}

/// The same figures for the deployment and for one of its `parts`.
Json share_json(const PricedRun& run, const EnergyReport& energy, const CostReport& cost,
                std::int64_t parts) {
  const auto per = [parts](std::optional<double> value) {
    return value ? Json(*value / static_cast<double>(parts)) : Json(nullptr);
  };
  return {{"output_tokens_per_s", per(run.output_tokens_per_s)},
          {"total_tokens_per_s", per(run.total_tokens_per_s)},
          {"average_power_w", per(energy.average_power_w)},
          {"busy_power_w", per(energy.busy_power_w.value)},
          {"capex_usd", per(cost.capex_usd)}};
}

Json silicon_json(const PlatformSpec& platform) {
  const auto made = price_silicon(platform);
  if (!made) return nullptr;
  return {{"process", platform.die.silicon->standard},
          {"die_mm2", made->area_mm2},
          {"floor_mm2",
           {{"sram", made->floor.sram_mm2},
            {"mac", made->floor.mac_mm2},
            {"hbm_phy", made->floor.hbm_phy_mm2}}},
          {"reticles", reticles(platform.die)},
          {"pieces", made->pieces},
          {"pieces_per_wafer", made->dies_per_wafer},
          {"yield", made->yield},
          {"good_die_usd", made->good_die_usd},
          {"package_usd", made->package_usd},
          {"node_usd", made->node_usd},
          {"of_price", or_null(ratio(made->node_usd, node_price_usd(platform)))}};
}

void put_limits(Json& report, const PlatformSpec& platform, const EnergyReport& energy) {
  Json limits = Json::array();
  for (const auto& finding : priced_findings(platform, energy))
    limits.push_back({{"limit", name_of(finding.kind)}, {"text", finding.text}});
  for (const auto& old : report["feasible"]["limits"])
    if (!is_priced(old["limit"].get<std::string>())) limits.push_back(old);
  report["feasible"]["limits"] = std::move(limits);
}

void check_finite(const Json& json, const std::string& path) {
  if (json.is_number_float())
    invariant(std::isfinite(json.get<double>()), "report.json: " + path + " is not finite");
  if (!json.is_structured()) return;
  for (const auto& item : json.items()) check_finite(item.value(), path + "/" + item.key());
}
}  // namespace

PricedFigures price_figures(const PlatformSpec& platform, const PricedRun& run) {
  EnergyReport energy = price_energy(run.counts, platform, run.duration, run.busy);
  CostReport cost = price_run(platform, energy, run.output_tokens, run.duration, run.busy,
                              run.single_stream_tokens_per_s);
  return {std::move(energy), std::move(cost), run.output_tokens};
}

void put_priced(Json& report, const PlatformSpec& platform, const PricedRun& run) {
  const auto [energy, cost, output_tokens] = price_figures(platform, run);
  put_limits(report, platform, energy);
  report["energy"] = energy_json(energy, platform.cost.pue, output_tokens);
  report["normalised"] = {{"deployment", share_json(run, energy, cost, 1)},
                          {"per_chip", share_json(run, energy, cost, packages(platform))},
                          {"per_die", share_json(run, energy, cost, dies(platform))}};
  report["cost"] = cost_json(cost, platform.cost);
  report["silicon"] = silicon_json(platform);
  // Of a stored report the words of its own prices stay.
  if (const Json::json_pointer prices{"/provenance/prices"}; report.contains(prices))
    report["provenance"]["energy"] =
        energy_shares(energy, report[prices].get<std::map<std::string, std::string>>());
}

std::string finished_text(const Json& report) {
  check_finite(report, "");
  // A path of the user's need not be UTF-8.
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace reticle
