// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/figures.hpp"

#include <algorithm>
#include <numeric>

#include "models/fabric/topology.hpp"
#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr double kMillisecondsPerSecond = 1e3;

struct UnitClass {
  std::string name;
  std::int64_t units;  ///< of the deployment
  Picoseconds busy;    ///< summed over them
  bool worked;         ///< did something, whether or not its busy time is known
};

bool moved(const EventCounts& counts, Tier tier) {
  const auto t = static_cast<std::size_t>(tier);
  return counts.read[t].count() > 0 || counts.written[t].count() > 0;
}

std::vector<UnitClass> unit_classes(const PlatformSpec& platform, const EventCounts& counts) {
  const DieParams& die = platform.die;
  const std::int64_t n = dies(platform);
  const bool multiplied = std::ranges::any_of(counts.macs, [](auto macs) { return macs > 0; });
  std::vector<UnitClass> classes{
      {"sram", n, counts.sram_busy, moved(counts, Tier::Sram)},
      {"hbm", die.hbm ? n : 0, counts.hbm_busy, moved(counts, Tier::Hbm)},
      {"far", die.far ? n : 0, counts.far_busy, moved(counts, Tier::Far)},
      {"flash", die.flash ? n : 0, counts.flash_busy, moved(counts, Tier::Flash)},
      {"mac", n, counts.mac_busy, multiplied},
      {"vector", n, counts.vector_busy, counts.vector_ops > 0}};

  const Topology topology{platform.fabric};
  std::vector<std::int64_t> links(platform.fabric.levels.size());
  for (const auto& link : topology.links()) ++links[static_cast<std::size_t>(link.level)];
  for (std::size_t l = 0; l < links.size(); ++l) {
    const bool counted = l < counts.link_bytes.size();
    classes.push_back({"link." + platform.fabric.levels[l].name, links[l],
                       counted && l < counts.link_busy.size() ? counts.link_busy[l] : Picoseconds{},
                       counted && counts.link_bytes[l].count() > 0});
  }
  return classes;
}

RooflineFigures roofline_of(const RunResult& result) {
  if (result.roofline_busy.count() == 0) return {};
  const Picoseconds bound = result.roofline_busy + (result.duration - result.busy);
  const auto most = std::ranges::max_element(result.roofline_limits);
  return {.tokens_per_s = static_cast<double>(result.output_tokens) / seconds(bound),
          .bound_by = static_cast<RooflineLimit>(most - result.roofline_limits.begin()),
          .achieved = ratio(seconds(result.roofline_busy), seconds(result.busy))};
}

std::optional<TimeCategory> largest(const RunResult& result) {
  if (result.duration.count() == 0) return std::nullopt;
  const auto most = std::ranges::max_element(result.breakdown);
  return static_cast<TimeCategory>(most - result.breakdown.begin());
}

std::optional<double> measured_sram_fraction(const EventCounts& counts) {
  const auto loaded = [&](TimeCategory category) {
    return static_cast<double>(counts.loaded[static_cast<std::size_t>(category)].count());
  };
  const double sram = loaded(TimeCategory::WeightsSram);
  return ratio(sram, sram + loaded(TimeCategory::WeightsHbm) + loaded(TimeCategory::WeightsFar));
}

Latencies latencies_of(const RunSpec& spec, const RunResult& result) {
  Latencies latency = latencies(result);
  // Streams of a steady decode were under way before the run: they neither arrive nor start in it.
  if (std::holds_alternative<SteadyDecode>(spec.workload))
    latency.ttft_ms = latency.e2e_ms = std::nullopt;
  return latency;
}
}  // namespace

std::vector<UnitUse> utilisation(const PlatformSpec& platform, const EventCounts& counts,
                                 Picoseconds time) {
  std::vector<UnitUse> uses;
  for (const auto& unit : unit_classes(platform, counts)) {
    UnitUse use{.name = unit.name, .units = unit.units, .share = std::nullopt};
    // Zero: not modelled. Below: the sum over all units left 64 bits, and says nothing any more.
    const bool unknown = unit.worked && unit.busy.count() <= 0;
    if (!unknown)
      use.share = ratio(seconds(unit.busy), static_cast<double>(unit.units) * seconds(time));
    uses.push_back(std::move(use));
  }
  return uses;
}

std::optional<double> ratio(double a, double b) {
  return b == 0 ? std::nullopt : std::optional{a / b};
}

std::optional<double> single_stream_rate(const WorkloadSpec& workload,
                                         std::optional<double> output_tokens_per_s,
                                         const std::optional<Distribution>& tpot_ms) {
  const auto* steady = std::get_if<SteadyDecode>(&workload);
  if (steady != nullptr && steady->batch == 1) return output_tokens_per_s;
  return tpot_ms ? ratio(kMillisecondsPerSecond, tpot_ms->mean) : std::nullopt;
}

CostReport price_run(const PlatformSpec& platform, const EnergyReport& energy,
                     std::int64_t output_tokens, Picoseconds duration, Picoseconds busy,
                     std::optional<double> single_stream_tokens_per_s) {
  CostParams params = platform.cost;
  params.node_price_usd = node_price_usd(platform);
  return price_cost(params, {.nodes = platform.nodes,
                             .output_tokens = output_tokens,
                             .duration = duration,
                             .busy = busy,
                             .dynamic_j = energy.total_j() - energy.constant_j(),
                             .constant_w = constant_power_w(platform),
                             .provisioned_w = energy.busy_power_w.limit,
                             .single_stream_tokens_per_s = single_stream_tokens_per_s});
}

RunFigures figures(const RunSpec& spec, const RunResult& result) {
  const Picoseconds charged = std::accumulate(result.breakdown.begin(), result.breakdown.end(),
                                              Picoseconds{}, std::plus<>{});
  invariant(charged == result.duration, "the time breakdown sums to the duration");

  RunFigures f;
  const double run_s = seconds(result.duration);
  const auto tokens = static_cast<double>(result.output_tokens);
  f.output_tokens_per_s = ratio(tokens, run_s);
  f.total_tokens_per_s = ratio(tokens + static_cast<double>(result.prefill_tokens), run_s);
  f.latency = latencies_of(spec, result);
  if (!std::holds_alternative<SteadyDecode>(spec.workload))
    f.goodput = goodput(spec.serving, result.requests);
  if (f.goodput) f.good_tokens_per_s = ratio(static_cast<double>(f.goodput->output_tokens), run_s);
  f.single_stream_tokens_per_s =
      single_stream_rate(spec.workload, f.output_tokens_per_s, f.latency.tpot_ms);
  f.roofline = roofline_of(result);
  f.limited_by = largest(result);
  f.utilisation = utilisation(spec.platform, result.counts, result.busy);
  f.sram_fraction_measured = measured_sram_fraction(result.counts);
  f.energy = price_energy(result.counts, spec.platform, result.duration, result.busy);
  f.energy_per_token_j = ratio(f.energy.total_j(), tokens);
  f.cost = price_run(spec.platform, f.energy, result.output_tokens, result.duration, result.busy,
                     f.single_stream_tokens_per_s);
  return f;
}

}  // namespace reticle
