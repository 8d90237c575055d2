// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/add_instances.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
void add(Placement& total, const Placement& part) {
  for (std::size_t t = 0; t < kTierCount; ++t) {
    total.capacity[t] += part.capacity[t];
    total.weights[t] += part.weights[t];
    total.reserved[t] += part.reserved[t];
  }
  total.kv.replicas += part.kv.replicas;
}

void add(ByPlace<std::int64_t>& total, const ByPlace<std::int64_t>& part) {
  for (const KvPlace place : kKvPlaces) total[place] += part[place];
}

void add(PrefixStats& total, const PrefixStats& part) {
  total.blocks += part.blocks;
  total.hit_blocks += part.hit_blocks;
  total.hit_tokens += part.hit_tokens;
  add(total.found, part.found);
  add(total.evicted, part.evicted);
  total.spilled += part.spilled;
  total.prefetched += part.prefetched;
  total.copied += part.copied;
}

void add(KvTierStats& total, const KvTierStats& part) {
  total.allocated += part.allocated;
  total.freed += part.freed;
  total.evicted += part.evicted;
  total.resident += part.resident;
  total.moved_in += part.moved_in;
  total.moved_out += part.moved_out;
  total.peak += part.peak;
  total.byte_seconds += part.byte_seconds;
}

void add(PreemptionStats& total, const PreemptionStats& part) {
  total.preemptions += part.preemptions;
  total.lost_tokens += part.lost_tokens;
  total.recomputed_tokens += part.recomputed_tokens;
  total.swaps += part.swaps;
  total.swapped_tokens += part.swapped_tokens;
}

void add(AdapterStats& total, const AdapterStats& part) {
  total.asked += part.asked;
  total.hits += part.hits;
  total.loads += part.loads;
  total.evicted += part.evicted;
  total.evicted_bytes += part.evicted_bytes;
  total.resident += part.resident;
  total.peak += part.peak;
  total.waits += part.waits;
  total.waited += part.waited;
}

void add(SpeculationStats& total, const SpeculationStats& part) {
  total.verifications += part.verifications;
  total.drafts += part.drafts;
  total.accepted += part.accepted;
}

/// Audits of instances that ran alike: their means weigh as many as they are, and err by
/// themselves.
void add(AuditFigures& total, const AuditFigures& part) {
  const auto before = static_cast<double>(total.audits), here = static_cast<double>(part.audits);
  const double all = std::max(1.0, before + here);
  const auto mean = [&](double a, double b) { return (a * before + b * here) / all; };
  total.mean_error = mean(total.mean_error, part.mean_error);
  total.standard_error =
      std::hypot(total.standard_error * before, part.standard_error * here) / all;
  total.mean_abs_error = mean(total.mean_abs_error, part.mean_abs_error);
  total.max_abs_error = std::max(total.max_abs_error, part.max_abs_error);
  total.audits += part.audits;
}

}  // namespace

void add(RecallReport& total, const RecallReport& part) {
  total.enabled |= part.enabled;
  total.simulated += part.simulated;
  total.recalled += part.recalled;
  add(total.all, part.all);
  add(total.decoding, part.decoding);
  add(total.prefilling, part.prefilling);
}

namespace {
/// All but what each has for itself: room and peaks.
void add_work(InstanceResult& total, const InstanceResult& part) {
  total.steps += part.steps;
  total.output_tokens += part.output_tokens;
  total.prefill_tokens += part.prefill_tokens;
  add(total.prefix, part.prefix);
  add(total.preemption, part.preemption);
  for (const KvPlace place : kKvPlaces) add(total.kv_tiers[place], part.kv_tiers[place]);
  total.longest_context = std::max(total.longest_context, part.longest_context);
  total.dropped_tokens += part.dropped_tokens;
  add(total.speculation, part.speculation);
  add(total.adapters, part.adapters);
  total.picks += part.picks;
  total.dropped_picks += part.dropped_picks;
  total.experts += part.experts;
  total.busy += part.busy;
  total.short_of_room += part.short_of_room;
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) total.breakdown[c] += part.breakdown[c];
  total.counts += part.counts;
  total.roofline_busy += part.roofline_busy;
  for (std::size_t i = 0; i < total.roofline_limits.size(); ++i)
    total.roofline_limits[i] += part.roofline_limits[i];
  total.kv_mean += part.kv_mean;
  total.near_mean += part.near_mean;
  total.near_read += part.near_read;
  add(total.recall, part.recall);
  total.residency.insert(total.residency.end(), part.residency.begin(), part.residency.end());
  total.activity.insert(total.activity.end(), part.activity.begin(), part.activity.end());
  total.step_rows.insert(total.step_rows.end(), part.step_rows.begin(), part.step_rows.end());
}
}  // namespace

namespace {
/// Energies, times and the nodes' power add up; of clocks and temperatures the worst.
void add(ThermalResult& total, const ThermalResult& part) {
  total.at_full_clock += part.at_full_clock;
  total.throttled += part.throttled;
  total.clock_seconds += part.clock_seconds;
  total.least_clock = std::min(total.least_clock, part.least_clock);
  total.hottest_c = std::max(total.hottest_c, part.hottest_c);
  if (part.first_throttled)
    total.first_throttled =
        min(*part.first_throttled, total.first_throttled.value_or(*part.first_throttled));
  total.dynamic_j += part.dynamic_j;
  total.memory_j += part.memory_j;
  total.leakage_j += part.leakage_j;
  total.elsewhere_j += part.elsewhere_j;
  total.die_c.insert(total.die_c.end(), part.die_c.begin(), part.die_c.end());
  total.samples.insert(total.samples.end(), part.samples.begin(), part.samples.end());
  const double node_w = total.sustained.node_w + part.sustained.node_w;
  if (part.sustained.speed < total.sustained.speed) total.sustained = part.sustained;
  total.sustained.node_w = node_w;
  if (part.seconds_to_throttling)
    total.seconds_to_throttling =
        std::min(*part.seconds_to_throttling,
                 total.seconds_to_throttling.value_or(*part.seconds_to_throttling));
}
}  // namespace

void add_epoch(InstanceResult& total, const InstanceResult& next) {
  add_work(total, next);
  total.kv_peak = max(total.kv_peak, next.kv_peak);
  total.near_peak = max(total.near_peak, next.near_peak);
  total.batch_peak = std::max(total.batch_peak, next.batch_peak);
  // What is left heats up from where the machine before the fault was: nobody follows that.
  total.thermal.reset();
}

InstanceResult add_instances(const std::vector<InstanceResult>& parts) {
  invariant(!parts.empty(), "a run has an instance");
  InstanceResult total = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    add_work(total, parts[i]);
    add(total.placement, parts[i].placement);
    total.kv_peak += parts[i].kv_peak;
    total.near_peak += parts[i].near_peak;
    total.batch_peak += parts[i].batch_peak;
    if (!parts[i].thermal) total.thermal.reset();
    if (total.thermal) add(*total.thermal, *parts[i].thermal);
  }
  std::ranges::stable_sort(total.residency, {}, &ResidencySample::time);
  std::ranges::stable_sort(total.step_rows, {}, &StepRow::begun);
  std::ranges::stable_sort(total.activity, {}, &ActivitySpan::begun);
  // Times divide with a remainder; that of the breakdown goes where no work is.
  const auto n = static_cast<std::int64_t>(parts.size());
  Picoseconds sum{}, mean{};
  for (Picoseconds& part : total.breakdown) {
    sum += part;
    part = Picoseconds{part.count() / n};
    mean += part;
  }
  total.breakdown[static_cast<std::size_t>(TimeCategory::Idle)] +=
      Picoseconds{sum.count() / n} - mean;
  total.busy = Picoseconds{total.busy.count() / n};
  total.short_of_room = Picoseconds{total.short_of_room.count() / n};
  total.roofline_busy = Picoseconds{total.roofline_busy.count() / n};
  for (Picoseconds& part : total.roofline_limits) part = Picoseconds{part.count() / n};
  return total;
}

}  // namespace reticle
