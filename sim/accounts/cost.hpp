// SPDX-License-Identifier: Apache-2.0
// What a token costs, and how many streams a million dollars of hardware carries.
//
// Models:     purchase price, and a share of the NRE, spread over the busy share of the lifetime;
//             electricity with PUE; hosting per kilowatt provisioned.
// Leaves out: interest, staff, network, price of idle tokens. [seed paper section 4.3]
#pragma once

#include <cstdint>
#include <optional>

#include "models/package/platform_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// What a deployment brought forth, as far as its cost depends on it.
struct Production {
  std::int64_t nodes = 1;
  std::int64_t output_tokens = 0;
  Picoseconds duration{};
  Picoseconds busy{};                   ///< of it, within steps
  double dynamic_j = 0;                 ///< energy that work caused
  double constant_w = 0;                ///< power that flows whether or not there is work
  std::optional<double> provisioned_w;  ///< that the hall must be able to bring and to cool
  std::optional<double> single_stream_tokens_per_s;
};

/// Cost at one utilisation u, the share of its life a deployment works at its busy rate R = output
/// tokens / busy time:
///   capital = capex / (lifetime x u x R)
///   nre     = capital x (nre_penalty - 1)
///   energy  = (dynamic energy / token + constant power / (u x R)) x electricity price x PUE
///   hosting = provisioned kW x hosting price x 12 / year / (u x R)
/// Absent where the price is not stated, no token came out, or hosting has a price and the power
/// provisioned is not known.
struct CostAtUtilisation {
  std::optional<double> utilisation;
  std::optional<double> capital_usd_per_m_tokens;
  std::optional<double> nre_usd_per_m_tokens;
  std::optional<double> energy_usd_per_m_tokens;
  std::optional<double> hosting_usd_per_m_tokens;
  std::optional<double> usd_per_m_tokens;  ///< sum of the four
  std::optional<double> agent_density;     ///< streams per 1e6 USD of capex, at rate R
};

struct CostReport {
  std::optional<double> capex_usd;  ///< absent when the node's price is not stated (0)
  CostAtUtilisation planned;        ///< u = CostParams.utilisation: the figure to compare by
  CostAtUtilisation as_simulated;   ///< u = busy / duration of this run
  /// As `planned`, with the rate of a single stream for R: the seed paper's worked examples.
  std::optional<double> single_stream_agent_density;
};

/// How much dearer a node, and with it a token's capital, is where `nodes` buyers share the NRE.
/// [seed paper, section 4.3]
double nre_penalty(double nre_usd, double nodes, double node_price_usd);

CostReport price_cost(const CostParams& params, const Production& production);

/// D = (1e6 / C) x (t / r) x u: concurrent streams of `stream_rate` tokens/s that 1e6 USD of
/// hardware carry. [seed paper, Appendix C]
double agent_density(double capex_usd, double tokens_per_s, double stream_rate, double utilisation);

}  // namespace reticle
