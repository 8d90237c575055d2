// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/cost.hpp"

namespace reticle {

namespace {
constexpr double kSecondsPerYear = 365.0 * 24 * 3600;  // [seed paper, Appendix C]
constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr double kMillion = 1e6;

CostAtUtilisation price_at(double utilisation, const CostParams& params, const Production& made,
                           std::optional<double> capex) {
  CostAtUtilisation cost;
  cost.utilisation = utilisation;
  const auto tokens = static_cast<double>(made.output_tokens);
  const double rate = tokens / seconds(made.busy);
  const double lifetime_tokens = params.lifetime_years * kSecondsPerYear * utilisation * rate;
  const double joules_per_token = made.dynamic_j / tokens + made.constant_w / (utilisation * rate);

  cost.energy_usd_per_m_tokens = joules_per_token / kJoulesPerKilowattHour *
                                 params.electricity_usd_per_kwh * params.pue * kMillion;
  if (!capex) return cost;
  cost.capital_usd_per_m_tokens = *capex / lifetime_tokens * kMillion;
  cost.usd_per_m_tokens = *cost.capital_usd_per_m_tokens + *cost.energy_usd_per_m_tokens;
  cost.agent_density = agent_density(*capex, rate, params.stream_rate_tokens_per_s, utilisation);
  return cost;
}
}  // namespace

double agent_density(double capex_usd, double tokens_per_s, double stream_rate,
                     double utilisation) {
  return kMillion / capex_usd * (tokens_per_s / stream_rate) * utilisation;
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
