// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/cost.hpp"

namespace reticle {

namespace {
constexpr double kSecondsPerYear = 365.0 * 24 * 3600;  // [seed paper, Appendix C]
constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr double kMillion = 1e6;
constexpr double kMonthsPerYear = 12;
constexpr double kWattsPerKilowatt = 1e3;

/// Per million tokens, of which `lived` come per second of the machine's life.
std::optional<double> hosting(const CostParams& params, const Production& made, double lived) {
  if (params.hosting_usd_per_kw_month == 0) return 0;
  if (!made.provisioned_w) return std::nullopt;
  const double usd_per_s = *made.provisioned_w / kWattsPerKilowatt *
                           params.hosting_usd_per_kw_month * kMonthsPerYear / kSecondsPerYear;
  return usd_per_s / lived * kMillion;
}

CostAtUtilisation price_at(double utilisation, const CostParams& params, const Production& made,
                           std::optional<double> capex) {
  CostAtUtilisation cost;
  cost.utilisation = utilisation;
  const auto tokens = static_cast<double>(made.output_tokens);
  const double rate = tokens / seconds(made.busy);
  const double lived = utilisation * rate;
  const double lifetime_tokens = params.lifetime_years * kSecondsPerYear * lived;
  const double joules_per_token = made.dynamic_j / tokens + made.constant_w / lived;

  cost.energy_usd_per_m_tokens = joules_per_token / kJoulesPerKilowattHour *
                                 params.electricity_usd_per_kwh * params.pue * kMillion;
  cost.hosting_usd_per_m_tokens = hosting(params, made, lived);
  if (!capex) return cost;
  const double penalty = nre_penalty(params.nre_usd, params.nre_nodes, params.node_price_usd);
  cost.capital_usd_per_m_tokens = *capex / lifetime_tokens * kMillion;
  cost.nre_usd_per_m_tokens = *cost.capital_usd_per_m_tokens * (penalty - 1);
  if (cost.hosting_usd_per_m_tokens)
    cost.usd_per_m_tokens = *cost.capital_usd_per_m_tokens + *cost.nre_usd_per_m_tokens +
                            *cost.energy_usd_per_m_tokens + *cost.hosting_usd_per_m_tokens;
  cost.agent_density = agent_density(*capex, rate, params.stream_rate_tokens_per_s, utilisation);
  return cost;
}
}  // namespace

double agent_density(double capex_usd, double tokens_per_s, double stream_rate,
                     double utilisation) {
  return kMillion / capex_usd * (tokens_per_s / stream_rate) * utilisation;
}

double nre_penalty(double nre_usd, double nodes, double node_price_usd) {
  return nre_usd == 0 ? 1 : 1 + nre_usd / (nodes * node_price_usd);
}

CostReport price_cost(const CostParams& params, const Production& made) {
  CostReport report;
  if (params.node_price_usd > 0)
    report.capex_usd = params.node_price_usd * static_cast<double>(made.nodes);
  if (report.capex_usd && made.single_stream_tokens_per_s)
    report.single_stream_agent_density =
        agent_density(*report.capex_usd, *made.single_stream_tokens_per_s,
                      params.stream_rate_tokens_per_s, params.utilisation);

  report.planned.utilisation = params.utilisation;
  if (made.duration.count() > 0)
    report.as_simulated.utilisation = seconds(made.busy) / seconds(made.duration);
  if (made.output_tokens == 0 || made.busy.count() == 0) return report;
  report.planned = price_at(params.utilisation, params, made, report.capex_usd);
  report.as_simulated = price_at(*report.as_simulated.utilisation, params, made, report.capex_usd);
  return report;
}

}  // namespace reticle
