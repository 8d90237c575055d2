// SPDX-License-Identifier: Apache-2.0
#include "models/sram/cycle_sram.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kRequesters = 256;  // at a time; a die has nine units
}  // namespace

CycleSram::CycleSram(const sc_core::sc_module_name& name, const SramParams& params)
    : sc_module{name},
      params_{params},
      crossbar_words_{crossbar_words(params)},
      layout_{params},
      port_free_(static_cast<std::size_t>(params.banks * params.ports)),
      last_served_(static_cast<std::size_t>(params.banks), kRequesters - 1),
      crossbars_(kRequesters),
      offers_(static_cast<std::size_t>(params.banks)) {
  port.bind(*this);
}

/// The first clock edge not before `at`.
std::int64_t CycleSram::edge_from(Picoseconds at) const {
  std::int64_t edge = mul_div_up(at.count(), params_.clock.count(), kPicosecondsPerSecond);
  while (edge > 0 && time_of(Cycles{edge - 1}, params_.clock) >= at) --edge;
  return edge;
}

CycleSram::Ticket CycleSram::submit(const MemoryRun& run, Picoseconds at) {
  Flow flow;
  flow.at = at;
  flow.edge = flow.resume = edge_from(at);
  flow.requester = run.requester;
  if (run.bytes.count() > 0) {
    ++stats_.transactions;
    (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;
    flow.left = layout_.words(run);
    flow.remaining = layout_.total();
    flow.begun.resize(flow.left.size());
  }
  flows_.emplace(next_ticket_, std::move(flow));
  return next_ticket_++;
}

std::int64_t CycleSram::room(std::uint8_t requester, std::int64_t cycle) {
  if (crossbar_words_ == params_.banks) return kNever;
  Crossbar& crossbar = crossbars_[requester];
  if (crossbar.cycle > cycle) return 0;  // granted further on already
  if (crossbar.cycle < cycle) crossbar = {cycle, 0};
  return crossbar_words_ - crossbar.used;
}

bool CycleSram::bank_open(std::size_t bank, std::int64_t cycle) const {
  const auto ports = port_free_.begin() + static_cast<std::ptrdiff_t>(bank) * params_.ports;
  return std::any_of(ports, ports + params_.ports, [&](auto free) { return free <= cycle; });
}

/// A word of the run stands before each bank that owes it one and has a port free.
std::int64_t CycleSram::offer(Flow& flow, std::int64_t cycle) {
  std::int64_t offered = 0;
  for (std::size_t bank = 0; bank < flow.left.size(); ++bank) {
    if (flow.left[bank] == 0 || !bank_open(bank, cycle)) continue;
    offers_[bank].push_back(&flow);
    ++offered;
  }
  return offered;
}

void CycleSram::move_word(Flow& flow, std::size_t bank, std::int64_t cycle) {
  --flow.left[bank];
  --flow.remaining;
  if (flow.first < 0) flow.first = cycle;
  flow.last = std::max(flow.last, cycle);
  if (!flow.begun[bank]) waited_ += cycle - flow.edge;
  flow.begun[bank] = true;
  ++crossbars_[flow.requester].used;
  ++granted_;
}

/// Round robin: the requester after the one served last comes first; its older run before its
/// newer. A run takes one port of a bank at a time.
std::int64_t CycleSram::grant(std::size_t bank, std::int64_t cycle) {
  auto& offers = offers_[bank];
  const auto turn = [&](const Flow* flow) {
    return static_cast<std::uint8_t>(flow->requester - last_served_[bank] - 1);
  };
  std::stable_sort(offers.begin(), offers.end(),
                   [&](const Flow* a, const Flow* b) { return turn(a) < turn(b); });
  std::int64_t granted = 0;
  auto next = offers.begin();
  const auto ports = static_cast<std::size_t>(params_.ports);
  for (std::size_t p = bank * ports; p < (bank + 1) * ports; ++p) {
    if (port_free_[p] > cycle) continue;
    while (next != offers.end() && room((*next)->requester, cycle) <= 0) ++next;
    if (next == offers.end()) break;
    port_free_[p] = cycle + 1;
    last_served_[bank] = (*next)->requester;
    move_word(**next++, bank, cycle);
    ++granted;
  }
  offers.clear();
  return granted;
}

/// Banks are asked one after another, from another one each cycle, so that a crossbar port that
/// cannot serve all its banks goes round them in address order.
std::int64_t CycleSram::step(std::int64_t cycle) {
  std::array<std::int64_t, kRequesters> offered{};
  for (auto& [ticket, flow] : flows_) {
    if (flow.remaining == 0 || flow.resume > cycle) continue;
    flow.resume = cycle + 1;
    // A requester's newer run has its turn where the older ones leave the crossbar port room.
    if (offered[flow.requester] < room(flow.requester, cycle))
      offered[flow.requester] += offer(flow, cycle);
  }
  std::int64_t moved = 0;
  const std::size_t banks = offers_.size();
  const auto start = static_cast<std::size_t>(cycle * crossbar_words_) % banks;
  for (std::size_t i = 0; i < banks; ++i) {
    const std::size_t bank = (start + i) % banks;
    if (!offers_[bank].empty()) moved += grant(bank, cycle);
  }
  return moved;
}

std::int64_t CycleSram::first_cycle() const {
  std::int64_t first = kNever;
  for (const auto& [ticket, flow] : flows_)
    if (flow.remaining > 0) first = std::min(first, flow.resume);
  return first;
}

/// The next cycle in which a word may move: when nothing moved, that is when a port or a crossbar
/// falls free that an earlier call has taken, or when the next run arrives.
std::int64_t CycleSram::next_cycle(std::int64_t cycle, bool moved) const {
  if (moved) return std::max(cycle + 1, first_cycle());
  std::int64_t next = kNever;
  for (const auto& [ticket, flow] : flows_) {
    if (flow.remaining == 0) continue;
    const std::int64_t crossbar = crossbars_[flow.requester].cycle;
    for (std::size_t bank = 0; bank < flow.left.size(); ++bank) {
      if (flow.left[bank] == 0) continue;
      const auto ports = port_free_.begin() + static_cast<std::ptrdiff_t>(bank) * params_.ports;
      next = std::min(next, std::max({*std::min_element(ports, ports + params_.ports), flow.resume,
                                      crossbar_words_ == params_.banks ? 0 : crossbar}));
    }
  }
  invariant(next < kNever, "a run that waits has a bank to wait for");
  return std::max(next, cycle + 1);
}

AccessTiming CycleSram::resolve(Ticket ticket) {
  const auto found = flows_.find(ticket);
  invariant(found != flows_.end(), "a ticket is resolved once");
  const Flow& flow = found->second;
  if (flow.remaining > 0)
    for (std::int64_t cycle = first_cycle(); flow.remaining > 0;)
      cycle = next_cycle(cycle, step(cycle) > 0);
  const Picoseconds at = flow.at;
  AccessTiming timing{at, at, at, at};
  if (flow.last >= 0) {
    const auto edge = [&](std::int64_t cycle) { return time_of(Cycles{cycle}, params_.clock); };
    const Picoseconds latency = time_of(params_.latency, params_.clock);
    timing = {at, edge(flow.first), edge(flow.first + 1) + latency, edge(flow.last + 1) + latency};
  }
  flows_.erase(found);
  return timing;
}

MemoryStats CycleSram::stats() const {
  MemoryStats stats = stats_;
  stats.busy = time_of(Cycles{granted_}, params_.clock);
  stats.waited = time_of(Cycles{waited_}, params_.clock);
  return stats;
}

}  // namespace reticle
