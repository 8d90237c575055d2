// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/step_profile.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace reticle {

namespace {
double value_of(std::int64_t count) { return static_cast<double>(count); }
template <class Tag>
double value_of(Quantity<Tag> quantity) {
  return static_cast<double>(quantity.count());
}
void set(std::int64_t& count, double value) { count = std::llround(value); }
template <class Tag>
void set(Quantity<Tag>& quantity, double value) {
  quantity = Quantity<Tag>{std::llround(value)};
}

double hbm_bytes(const EventCounts& counts) {
  constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
  return std::max(1.0, value_of(counts.read[kHbm] + counts.written[kHbm]));
}

/// The parts' sum becomes the duration; parts below zero, which weights below zero can make, are
/// taken off the largest.
void sum_up(StepOutcome& outcome) {
  Picoseconds below{};
  for (Picoseconds& part : outcome.breakdown) {
    outcome.duration += part;
    if (part.count() >= 0) continue;
    below += part;
    part = Picoseconds{};
  }
  *std::max_element(outcome.breakdown.begin(), outcome.breakdown.end()) += below;
}
}  // namespace

namespace {

/// With sign -1 leaves what a tier reads beside its loads (nothing, as a rule); +1 adds them again.
void add_loads(EventCounts& c, std::size_t tier, Tier kv_tier, Bytes near_read, std::int64_t sign) {
  Bytes loads{};
  if (tier < kWeightCategories.size())
    loads += c.loaded[static_cast<std::size_t>(kWeightCategories[tier])];
  if (static_cast<Tier>(tier) == kv_tier)
    loads += c.loaded[static_cast<std::size_t>(TimeCategory::Kv)] - near_read;
  if (static_cast<Tier>(tier) == Tier::Sram) loads += near_read;
  c.read[tier] += sign * loads;
}

/// visit(field, what it follows): the bytes of memories, from which the rest follows.
template <class Visit>
void each_of_bytes(EventCounts& c, const StepScale& scale, Visit visit) {
  for (auto& bytes : c.loaded) visit(bytes, 1.0);
  for (auto& bytes : c.read) visit(bytes, 1.0);
  for (auto& bytes : c.written) visit(bytes, scale.tokens);
}

template <class Visit>
void each_of_rest(StepOutcome& outcome, const StepScale& scale, double hbm, Visit visit) {
  EventCounts& c = outcome.counts;
  for (auto* count : {&c.hbm_activates, &c.hbm_read_bursts}) visit(*count, hbm);
  visit(c.staged, hbm);
  visit(c.hbm_written_bursts, scale.tokens);
  visit(c.hbm_bank_active_us, scale.seconds);
  for (auto& macs : c.macs) visit(macs, scale.tokens);
  visit(c.vector_ops, scale.tokens);
  for (auto& bytes : c.link_bytes) visit(bytes, scale.tokens);
  for (auto& busy : c.link_busy) visit(busy, scale.tokens);
  for (auto* busy :
       {&c.sram_busy, &c.hbm_busy, &c.far_busy, &c.flash_busy, &c.mac_busy, &c.vector_busy})
    visit(*busy, scale.seconds);
  visit(outcome.picks, scale.tokens);
  visit(outcome.dropped_picks, scale.tokens);
  for (auto& part : outcome.breakdown) visit(part, scale.seconds);
}

constexpr auto kKv = static_cast<std::size_t>(TimeCategory::Kv);

}  // namespace

void StepProfile::add_bytes(EventCounts& counts, const StepScale& scale, std::int64_t sign) const {
  const TimeCategory weights = kWeightCategories[static_cast<std::size_t>(kv_tier_)];
  counts.loaded[kKv] += sign * scale.cache_read;
  counts.loaded[static_cast<std::size_t>(weights)] += sign * scale.adapters_read;
}

void StepProfile::add_macs(EventCounts& counts, const StepScale& scale, std::int64_t sign) const {
  counts.macs[static_cast<std::size_t>(attention_)] += sign * scale.attention_macs;
  counts.macs[static_cast<std::size_t>(adapters_)] += sign * scale.adapter_macs;
}

std::vector<double> StepProfile::of(const StepOutcome& outcome, const StepScale& scale) const {
  std::vector<double> profile;
  const auto keep = [&](auto& field, double by) { profile.push_back(value_of(field) / by); };
  StepOutcome rest = outcome;
  rest.counts.link_bytes.resize(levels_);
  rest.counts.link_busy.resize(levels_);
  for (std::size_t t = 0; t < kTierCount; ++t)
    add_loads(rest.counts, t, kv_tier_, scale.near_read, -1);
  add_bytes(rest.counts, scale, -1);
  add_macs(rest.counts, scale, -1);
  each_of_bytes(rest.counts, scale, keep);
  each_of_rest(rest, scale, hbm_bytes(outcome.counts), keep);
  return profile;
}

StepOutcome StepProfile::outcome(const std::vector<double>& profile, const StepScale& scale) const {
  StepOutcome out;
  EventCounts& counts = out.counts;
  counts.link_bytes.resize(levels_);
  counts.link_busy.resize(levels_);
  std::size_t next = 0;
  const auto fill = [&](auto& field, double by) { set(field, profile[next++] * by); };
  // Weights below zero can make a small count negative.
  const auto floor = [](auto& field, double) {
    field = std::max(field, std::remove_reference_t<decltype(field)>{});
  };
  each_of_bytes(counts, scale, fill);
  add_bytes(counts, scale, +1);
  each_of_bytes(counts, scale, floor);
  for (std::size_t t = 0; t < kTierCount; ++t) add_loads(counts, t, kv_tier_, scale.near_read, +1);
  const double hbm = hbm_bytes(counts);
  each_of_rest(out, scale, hbm, fill);
  add_macs(counts, scale, +1);
  sum_up(out);
  each_of_rest(out, scale, hbm, floor);
  return out;
}

}  // namespace reticle
