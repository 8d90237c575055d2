// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/serving_report.hpp"

#include <fmt/format.h>

#include "sim/config/enum_tables.hpp"
#include "sim/config/value_text.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
double busy_share(const RunResult& result, const InstanceResult& instance) {
  return result.duration.count() > 0 ? seconds(instance.busy) / seconds(result.duration) : 0;
}

double tokens_per_verification(const SpeculationStats& s) {
  return 1 + static_cast<double>(s.accepted) / static_cast<double>(s.verifications);
}

Picoseconds mean_flight(const HandoverStats& handover) {
  return Picoseconds{handover.in_flight.count() / std::max<std::int64_t>(1, handover.transfers)};
}

/// Nothing was asked for before the first arrival or after the last answer: no rate then.
Json rate_json(std::optional<double> rate) { return rate ? Json(*rate) : Json(nullptr); }

std::string instance_line(const RunResult& result, std::size_t i) {
  const InstanceResult& r = result.instances[i];
  return fmt::format(
      "Instance {}: {}, {} steps, busy {} of the time, {} tokens of prompts, {} "
      "generated",
      i, to_string(r.placement.plan), count_text(r.steps), percent_text(busy_share(result, r)),
      count_text(r.prefill_tokens), count_text(r.output_tokens));
}

std::string fault_line(const FaultRecord& f) {
  std::string text = fmt::format(
      "Fault {} ({}) of instance {} at {}: {} requests interrupted, {} cached tokens lost",
      f.fault.name, ValueText<FaultKind>::format(f.fault.kind), f.fault.instance,
      time_text(f.fault.at), count_text(f.interrupted), count_text(f.lost_tokens));
  text += f.back
              ? fmt::format("; back after {} on {} dies as {}, decode steps at {} of the speed",
                            time_text(*f.back - f.fault.at), f.dies, f.plan, percent_text(f.speed))
              : "; it did not come back: " + f.problem;
  if (f.rate_before && f.rate_after)
    text += fmt::format(
        "; {} tokens/s before, {} while it lasted, {} after", number_text(*f.rate_before),
        f.rate_during ? number_text(*f.rate_during) : "-", number_text(*f.rate_after));
  return text;
}
}  // namespace

Json instances_json(const RunResult& result) {
  Json all = Json::array();
  for (const InstanceResult& r : result.instances)
    all.push_back({{"plan", to_string(r.placement.plan)},
                   {"steps", r.steps},
                   {"busy_fraction", busy_share(result, r)},
                   {"prefill_tokens", r.prefill_tokens},
                   {"output_tokens", r.output_tokens},
                   {"prefix_hit_tokens", r.prefix.hit_tokens},
                   {"preemptions", r.preemption.preemptions},
                   {"kv_peak_bytes", (r.kv_peak + r.near_peak).count()}});
  return all;
}

Json handover_json(const RunResult& result) {
  const HandoverStats& h = result.handover;
  if (h.transfers == 0) return nullptr;
  return {{"transfers", h.transfers},
          {"bytes", h.bytes.count()},
          {"mean_ms", seconds(mean_flight(h)) * 1e3}};
}

Json faults_json(const RunResult& result) {
  Json all = Json::array();
  for (const FaultRecord& f : result.faults)
    all.push_back({{"name", f.fault.name},
                   {"kind", ValueText<FaultKind>::format(f.fault.kind)},
                   {"instance", f.fault.instance},
                   {"at_s", seconds(f.fault.at)},
                   {"interrupted_requests", f.interrupted},
                   {"lost_tokens", f.lost_tokens},
                   {"back_s", f.back ? Json(seconds(*f.back)) : Json(nullptr)},
                   {"dies_left", f.dies > 0 ? Json(f.dies) : Json(nullptr)},
                   {"plan", f.plan.empty() ? Json(nullptr) : Json(f.plan)},
                   {"problem", f.problem.empty() ? Json(nullptr) : Json(f.problem)},
                   {"decode_speed_left", f.speed > 0 ? Json(f.speed) : Json(nullptr)},
                   {"output_tokens_per_s_before", rate_json(f.rate_before)},
                   {"output_tokens_per_s_during", rate_json(f.rate_during)},
                   {"output_tokens_per_s_after", rate_json(f.rate_after)}});
  return all;
}

Json speculation_json(const RunResult& result) {
  const SpeculationStats& s = result.speculation;
  if (s.verifications == 0) return nullptr;
  return {{"verifications", s.verifications},
          {"drafts", s.drafts},
          {"accepted", s.accepted},
          {"tokens_per_verification", tokens_per_verification(s)}};
}

Json adapters_json(const RunSpec& spec, const RunResult& result) {
  if (!spec.serving.lora) return nullptr;
  const AdapterSpec& family = spec.serving.lora->family;
  const AdapterStats& a = result.adapters;
  return {
      {"adapters", family.adapters},
      {"slots", family.slots},
      {"asked", a.asked},
      {"hits", a.hits},
      {"hit_fraction", or_null(ratio(static_cast<double>(a.hits), static_cast<double>(a.asked)))},
      {"loads", a.loads},
      {"loaded_bytes",
       result.counts.loaded[static_cast<std::size_t>(TimeCategory::AdapterMove)].count()},
      {"evicted", a.evicted},
      {"evicted_bytes", a.evicted_bytes.count()},
      {"resident_bytes", a.resident.count()},
      {"peak_bytes", a.peak.count()},
      {"waits", a.waits},
      {"mean_wait_ms", or_null(ratio(seconds(a.waited) * 1e3, static_cast<double>(a.waits)))}};
}

KvInTier kv_in_tier(const InstanceResult& result, Tier tier) {
  const Bytes read = result.counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)];
  const Tier home = result.placement.kv.tier;
  if (tier == home)
    return {.peak = result.kv_peak, .read = read - result.near_read, .mean = result.kv_mean};
  if (tier != tier_of(home, KvPlace::Near)) return {};
  return {.peak = result.near_peak, .read = result.near_read, .mean = result.near_mean};
}

Json kv_tiers_json(const RunResult& result) {
  Json tiers = Json::object();
  for (const KvPlace place : kKvPlaces) {
    if (place == KvPlace::Near && result.placement.kv.near_pages == 0) continue;
    const KvTierStats& t = result.kv_tiers[place];
    const PrefixStats& p = result.prefix;
    const Tier tier = tier_of(result.placement.kv.tier, place);
    if (result.placement.capacity[static_cast<std::size_t>(tier)].count() == 0) continue;
    const auto allocated = static_cast<double>(t.allocated.count());
    // Little's law: bytes that are there on average = bytes that come per second x their stay.
    // Null where requests carry no prefix blocks or none are shared.
    const auto of_blocks = [&](std::int64_t n) { return p.blocks > 0 ? Json(n) : Json(nullptr); };
    tiers[std::string{name_of(tier)}] = {
        {"prefix_hit_blocks", of_blocks(p.found[place])},
        {"prefix_hit_fraction",
         or_null(ratio(static_cast<double>(p.found[place]), static_cast<double>(p.blocks)))},
        {"evicted_blocks", of_blocks(p.evicted[place])},
        {"allocated_bytes", t.allocated.count()},
        {"freed_bytes", t.freed.count()},
        {"evicted_bytes", t.evicted.count()},
        {"resident_bytes", t.resident.count()},
        {"moved_in_bytes", t.moved_in.count()},
        {"moved_out_bytes", t.moved_out.count()},
        {"peak_bytes", t.peak.count()},
        {"mean_page_life_s", or_null(ratio(t.byte_seconds, allocated))}};
  }
  return tiers;
}

std::vector<std::string> serving_lines(const RunResult& result) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < result.instances.size(); ++i)
    lines.push_back(instance_line(result, i));
  if (result.placement.kv.near_pages > 0) {
    const KvInTier sram = kv_in_tier(result, Tier::Sram), home = kv_in_tier(result, Tier::Hbm);
    const auto size = [](Bytes b) { return with_unit(static_cast<double>(b.count()), "B"); };
    const auto share = ratio(static_cast<double>(sram.read.count()),
                             static_cast<double>((sram.read + home.read).count()));
    lines.push_back(fmt::format(
        "Keys and values in SRAM: {} at most, {} of what attention read; {} brought there, {} sent "
        "away",
        size(sram.peak), share ? percent_text(*share) : "none",
        size(result.kv_tiers[KvPlace::Near].moved_in),
        size(result.kv_tiers[KvPlace::Near].moved_out)));
  }
  if (const PrefixStats& p = result.prefix; p.spilled > 0)
    lines.push_back(
        fmt::format("{} blocks spilled behind home: {} found in the far tier, {} in flash, {} "
                    "fetched ahead",
                    count_text(p.spilled), count_text(p.found[KvPlace::Far]),
                    count_text(p.found[KvPlace::Flash]), count_text(p.prefetched)));
  if (result.preemption.swaps > 0)
    lines.push_back(fmt::format("{} preempted caches swapped out, {} tokens in all",
                                count_text(result.preemption.swaps),
                                count_text(result.preemption.swapped_tokens)));
  if (const SpeculationStats& s = result.speculation; s.verifications > 0)
    lines.push_back(fmt::format("{} of {} drafts accepted: {} tokens per verification",
                                count_text(s.accepted), count_text(s.drafts),
                                number_text(tokens_per_verification(s), 3)));
  if (const AdapterStats& a = result.adapters; a.asked > 0)
    lines.push_back(fmt::format(
        "Adapters: {} of {} requests found theirs, {} loaded ({}), {} evicted; {} requests waited "
        "for theirs, {} each",
        count_text(a.hits), count_text(a.asked), count_text(a.loads),
        with_unit(
            static_cast<double>(
                result.counts.loaded[static_cast<std::size_t>(TimeCategory::AdapterMove)].count()),
            "B"),
        count_text(a.evicted), count_text(a.waits),
        time_text(Picoseconds{a.waited.count() / std::max<std::int64_t>(1, a.waits)})));
  if (result.handover.transfers > 0)
    lines.push_back(fmt::format("{} caches handed over, {} in all, {} each",
                                count_text(result.handover.transfers),
                                with_unit(static_cast<double>(result.handover.bytes.count()), "B"),
                                time_text(mean_flight(result.handover))));
  for (const FaultRecord& f : result.faults) lines.push_back(fault_line(f));
  return lines;
}

}  // namespace reticle
