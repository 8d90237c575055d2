// SPDX-License-Identifier: Apache-2.0
// Everything a report states about a run, computed once for report.json and the summary alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/accounts/cost.hpp"
#include "sim/accounts/energy.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"
#include "sim/metrics/statistics.hpp"

namespace reticle {

/// How much of a time, for a run that of its steps, a class of units was occupied. `share` is
/// absent where the platform has no such unit, nothing ran, or busy time was not modelled (roofline
/// fidelity).
struct UnitUse {
  std::string name;        ///< sram, hbm, far, mac, vector, link.<level>
  std::int64_t units = 0;  ///< bank ports, pseudo-channels, links, ... of the deployment
  std::optional<double> share;
};

/// The bound beside the result: roofline time for the steps, the same idle time between them.
struct RooflineFigures {
  std::optional<double> tokens_per_s;
  std::optional<RooflineLimit> bound_by;  ///< what sets it for most of its time
  std::optional<double> achieved;         ///< roofline / simulated time within steps
};

struct RunFigures {
  std::optional<double> output_tokens_per_s;  ///< over the simulated time, idle included
  std::optional<double> total_tokens_per_s;   ///< with prompt tokens
  Latencies latency;
  std::optional<Goodput> goodput;
  std::optional<double> good_tokens_per_s;
  std::optional<double> single_stream_tokens_per_s;
  RooflineFigures roofline;
  std::optional<TimeCategory> limited_by;
  std::vector<UnitUse> utilisation;
  std::optional<double> sram_fraction_measured;  ///< of the weight bytes loaded
  EnergyReport energy;
  std::optional<double> energy_per_token_j;
  CostReport cost;
};

RunFigures figures(const RunSpec& spec, const RunResult& result);

/// How much of `time` each class of units of the deployment was occupied.
std::vector<UnitUse> utilisation(const PlatformSpec& platform, const EventCounts& counts,
                                 Picoseconds time);

/// What a single user sees: tokens/s of a steady decode with batch 1, else 1 / mean TPOT.
std::optional<double> single_stream_rate(const WorkloadSpec& workload,
                                         std::optional<double> output_tokens_per_s,
                                         const std::optional<Distribution>& tpot_ms);

/// Prices the production of a run; shared with re-pricing.
CostReport price_run(const PlatformSpec& platform, const EnergyReport& energy,
                     std::int64_t output_tokens, Picoseconds duration, Picoseconds busy,
                     std::optional<double> single_stream_tokens_per_s);

constexpr std::int64_t packages(const PlatformSpec& p) { return p.packages_per_node * p.nodes; }

/// a / b; absent when b is 0.
std::optional<double> ratio(double a, double b);

}  // namespace reticle
