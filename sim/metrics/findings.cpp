// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/accounts/silicon.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
constexpr std::array<std::string_view, 9> kKindNames{"power",  "heat_flux", "die_area",
                                                     "price",  "rejected",  "unfinished",
                                                     "recall", "prefixes",  "faults"};

/// Above this error of its totals a recalled result misleads: chosen, four times its default bound.
constexpr double kRecallTolerance = 0.02;

/// What totals may be off by: the mean error, and two standard errors of it.
double error_of_totals(const AuditFigures& audited) {
  return std::abs(audited.mean_error) + 2 * audited.standard_error;
}

std::string recall_problem(const RecallReport& recall) {
  if (recall.recalled == 0) return {};
  if (recall.all.audits == 0)
    return fmt::format("{} steps were recalled and none audited: the error of recall is not known",
                       count_text(recall.recalled));
  const double error = error_of_totals(recall.all);
  if (error <= kRecallTolerance) return {};
  return fmt::format(
      "recalled steps may be off by {} in sum ({} audits): --exact gives the exact "
      "result",
      percent_text(error), count_text(recall.all.audits));
}
}  // namespace

std::string_view name_of(FindingKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

bool is_priced(std::string_view kind) {
  const auto at = std::ranges::find(kKindNames, kind);
  return at != kKindNames.end() && is_priced(static_cast<FindingKind>(at - kKindNames.begin()));
}

std::vector<Finding> priced_findings(const PlatformSpec& platform, const EnergyReport& energy) {
  std::vector<Finding> found;
  if (const auto& power = energy.busy_power_w; power.exceeded())
    found.push_back({FindingKind::Power,
                     fmt::format("power while busy is {}, above the envelope of {}",
                                 with_unit(*power.value, "W"), with_unit(*power.limit, "W"))});
  if (const auto& flux = energy.heat_flux_w_per_mm2; flux.exceeded())
    found.push_back({FindingKind::HeatFlux,
                     fmt::format("heat flux is {} W/mm2, above the {} W/mm2 the cooling carries",
                                 number_text(*flux.value, 3), number_text(*flux.limit, 3))});
  const auto made = price_silicon(platform);
  if (const double price = node_price_usd(platform); made && price > 0 && made->node_usd > price)
    found.push_back(
        {FindingKind::Price,
         fmt::format("silicon, memory and packages of a node cost {} to make, more than "
                     "its price of {}",
                     money_text(made->node_usd), money_text(price))});
  return found;
}

std::vector<Finding> area_findings(const DieParams& die) {
  std::vector<Finding> found;
  if (reticles(die) > 1)
    found.push_back(
        {FindingKind::DieArea,
         fmt::format("a die of {} mm2 exceeds the reticle field of {} mm2: it needs stitching or "
                     "several dies",
                     number_text(die_area_mm2(die) / static_cast<double>(die.chiplets), 4),
                     kReticleMm2)});
  if (!die.silicon || die.area_mm2 == 0) return found;
  const AreaFloor floor = area_floor(die);
  if (floor.mm2() > die.area_mm2)
    found.push_back(
        {FindingKind::DieArea,
         fmt::format("SRAM ({} mm2), arithmetic ({}) and HBM PHYs ({}) in {} take more than the {} "
                     "mm2 of the die",
                     number_text(floor.sram_mm2, 4), number_text(floor.mac_mm2, 4),
                     number_text(floor.hbm_phy_mm2, 4), die.silicon->standard,
                     number_text(die.area_mm2, 4))});
  return found;
}

namespace {
/// How many for which reason.
std::string refusals(const RunResult& result) {
  constexpr std::array<std::pair<Refusal, std::string_view>, 4> kReasons{
      {{Refusal::Context, "longer than the model's context"},
       {Refusal::Room, "longer than the KV room of an empty machine"},
       {Refusal::Fault, "without an instance that could hold them, after a fault"},
       {Refusal::Late, "too late for serving.ttft_limit, or without hope of room"}}};
  std::string text;
  for (const auto& [refusal, words] : kReasons) {
    const auto count = std::ranges::count(result.requests, refusal, &RequestRecord::refusal);
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), words);
  }
  return text;
}
}  // namespace

std::vector<Finding> run_findings(const RunSpec& spec, const RunResult& result) {
  std::vector<Finding> found = area_findings(spec.platform.die);
  const auto rejected = std::ranges::count_if(result.requests, &RequestRecord::rejected);
  const auto open = std::ranges::count_if(result.requests,
                                          [](const auto& r) { return !r.rejected && !r.finished; });
  if (rejected > 0)
    found.push_back({FindingKind::Rejected,
                     fmt::format("{} of {} requests were rejected: {}", count_text(rejected),
                                 count_text(std::ssize(result.requests)), refusals(result))});
  if (open > 0)
    found.push_back({FindingKind::Unfinished,
                     fmt::format("{} of {} requests had not finished when the run ended",
                                 count_text(open), count_text(std::ssize(result.requests)))});
  if (std::string problem = recall_problem(result.recall); !problem.empty())
    found.push_back({FindingKind::Recall, std::move(problem)});
  for (const FaultSpec& fault : spec.serving.faults)
    if (fault.at > result.duration)
      found.push_back(
          {FindingKind::Faults, fmt::format("fault {} at {} s would have come after the run's end",
                                            fault.name, number_text(seconds(fault.at)))});
  if (spec.engine.thermal && !result.thermal)
    found.push_back({FindingKind::Faults,
                     "heat is not told: nobody followed it from before the fault to after it"});
  if (result.prefixes_unshared)
    found.push_back({FindingKind::Prefixes,
                     spec.llm.name + " keeps windows or states: beside keys and values in SRAM "
                                     "(placement.kv_sram_share) its prompt blocks are not shared"});
  return found;
}

}  // namespace reticle
