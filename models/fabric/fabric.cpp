// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/fabric.hpp"

#include <algorithm>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr int kRateShift = 22;
/// Arbiters see whole nanoseconds (2^10 ps), a router's cycle: shares of a collective that differ
/// by a byte are alike to them, and keep the order of the phase.
constexpr int kArbitrationShift = 10;
constexpr std::int64_t kLargestMessage = std::int64_t{1} << 36;  // 64 GiB

/// A sender stops when the receiver's buffer is full; over a round trip it can send one buffer.
std::int64_t scaled_rate(const LinkParams& link) {
  std::int64_t rate = link.rate.count();
  const std::int64_t round_trip = 2 * link.latency.count();
  if (link.buffer.count() > 0 && round_trip > 0)
    rate = std::min(rate, mul_div_up(link.buffer.count(), kPicosecondsPerSecond, round_trip));
  return mul_div_up(kPicosecondsPerSecond, std::int64_t{1} << kRateShift, rate);
}
}  // namespace

Fabric::Fabric(const sc_core::sc_module_name& name, const FabricParams& params)
    : sc_module{name},
      topology_{params},
      overhead_{params.exchange_overhead},
      stats_(static_cast<std::size_t>(topology_.levels())) {
  for (const auto& link : topology_.links())
    links_.push_back({.free = {}, .scaled_ps_per_byte = scaled_rate(link.params)});
  port.bind(*this);
  SC_HAS_PROCESS(Fabric);
  SC_METHOD(resolve_all);
  sensitive << completed_;
  dont_initialize();
}

void Fabric::load(std::span<const std::shared_ptr<const Exchange>> exchanges) {
  exchanges_ = exchanges;
  progress_.resize(exchanges.size());
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    const std::size_t count = exchanges[i]->participants.size();
    progress_[i].joined.assign(count, Picoseconds{-1});
    progress_[i].missing = static_cast<std::int32_t>(count);
  }
}

void Fabric::join(std::int32_t exchange, std::int32_t slot) {
  auto& progress = progress_[static_cast<std::size_t>(exchange)];
  auto& joined = progress.joined[static_cast<std::size_t>(slot)];
  invariant(joined.count() < 0 && progress.missing > 0, "a participant joins once");
  joined = now();
  if (--progress.missing > 0) return;
  complete_.push_back(exchange);
  // In the next delta cycle: by then every exchange completed at this time is known, and they take
  // the links in the order of their ids, whoever woke first.
  completed_.notify(sc_core::SC_ZERO_TIME);
}

void Fabric::resolve_all() {
  std::sort(complete_.begin(), complete_.end());
  const auto due = std::exchange(complete_, {});
  for (const std::int32_t exchange : due) resolve(exchange);
}

Picoseconds Fabric::serialise(const LinkState& link, Bytes bytes) const {
  // The product of a large message on a slow link passes 64 bits.
  const auto scaled = static_cast<unsigned __int128>(bytes.count()) *
                      static_cast<unsigned __int128>(link.scaled_ps_per_byte);
  return Picoseconds{static_cast<std::int64_t>((scaled + (1U << kRateShift) - 1) >> kRateShift)};
}

Fabric::Arrival Fabric::deliver(DieId from, DieId to, Bytes bytes, Picoseconds at) {
  invariant(bytes.count() <= kLargestMessage, "message size");
  Picoseconds head = at;
  Picoseconds tail = at;
  Picoseconds latency{};
  Picoseconds injected = at;
  LinkState* before = nullptr;
  const auto links = topology_.links();
  const auto path = topology_.path(from, to);
  for (const LinkId id : path) {
    const Topology::Link& spec = links[index(id)];
    LinkState& link = links_[index(id)];
    const Picoseconds start = max(head, link.free);
    const Picoseconds busy = serialise(link, bytes);
    if (before && start > head && bytes > spec.params.buffer) {
      // The link before holds what this link's buffer cannot take until this link has drained it.
      const Picoseconds held = start + serialise(link, bytes - spec.params.buffer);
      before->free = max(before->free, held);
    }
    link.free = start + busy;
    head = start + spec.forward;
    tail = max(tail + spec.forward, start + busy + spec.forward);
    latency += spec.forward;
    if (!before) injected = start + busy;
    before = &link;
    LinkStats& stats = stats_[static_cast<std::size_t>(spec.level)];
    ++stats.messages;
    stats.bytes += bytes;
    stats.busy += busy;
  }
  sent_ += bytes;
  received_ += bytes;
  return {injected, tail, latency};
}

/// Orders the messages of a phase by when they can begin on their first link, which sends them as
/// listed. Links are given out in this order: going source by source instead would let the last
/// message of one die take a link ahead of the first ones of the others.
void Fabric::order(const Exchange& exchange, const std::vector<Message>& phase) {
  order_.clear();
  offered_.resize(links_.size(), Picoseconds{});
  for (std::size_t i = 0; i < phase.size(); ++i) {
    const Message& m = phase[i];
    Picoseconds begin = fronts_[static_cast<std::size_t>(m.source)].ready;
    const auto path = topology_.path(exchange.participants[static_cast<std::size_t>(m.source)],
                                     exchange.participants[static_cast<std::size_t>(m.target)]);
    if (!path.empty()) {
      Picoseconds& offered = offered_[index(path.front())];
      begin = max(begin, offered);
      offered = begin + serialise(links_[index(path.front())], m.bytes);
      touched_.push_back(path.front());
    }
    order_.emplace_back(begin.count() >> kArbitrationShift, static_cast<std::int32_t>(i));
  }
  for (const LinkId id : touched_) offered_[index(id)] = Picoseconds{};
  touched_.clear();
  if (!std::is_sorted(order_.begin(), order_.end())) std::sort(order_.begin(), order_.end());
}

void Fabric::resolve(std::int32_t id) {
  const Exchange& exchange = *exchanges_[static_cast<std::size_t>(id)];
  const auto& joined = progress_[static_cast<std::size_t>(id)].joined;
  const std::size_t count = exchange.participants.size();
  fronts_.resize(count);
  injected_.assign(count, Picoseconds{});
  for (std::size_t s = 0; s < count; ++s)
    fronts_[s] = {joined[s] + overhead_, overhead_, static_cast<std::int32_t>(s)};

  for (const auto& phase : exchange.phases) {
    order(exchange, phase);
    next_ = fronts_;
    for (const auto& [begin, position] : order_) {
      const Message& m = phase[static_cast<std::size_t>(position)];
      const Front& source = fronts_[static_cast<std::size_t>(m.source)];
      const Arrival arrival =
          deliver(exchange.participants[static_cast<std::size_t>(m.source)],
                  exchange.participants[static_cast<std::size_t>(m.target)], m.bytes, source.ready);
      auto& sent = injected_[static_cast<std::size_t>(m.source)];
      sent = max(sent, arrival.injected);
      Front& target = next_[static_cast<std::size_t>(m.target)];
      if (arrival.tail > target.ready)
        target = {arrival.tail, source.latency + arrival.latency, source.root};
    }
    fronts_.swap(next_);
  }
  for (std::size_t s = 0; s < count; ++s) {
    const Front& front = fronts_[s];
    ExchangeTiming timing{front.ready, front.root, joined[static_cast<std::size_t>(front.root)],
                          front.latency};
    if (injected_[s] > timing.done) {  // still pushing its last message out
      timing = {injected_[s], static_cast<std::int32_t>(s), joined[s], overhead_};
    }
    dies[static_cast<int>(index(exchange.participants[s]))]->exchange_done(id, timing);
  }
}

std::string Fabric::pending() const {
  std::string text;
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    const auto& p = progress_[i];
    if (p.missing == 0 || static_cast<std::size_t>(p.missing) == p.joined.size()) continue;
    text += "fabric: exchange " + std::to_string(i) + " waits for " + std::to_string(p.missing) +
            " of " + std::to_string(p.joined.size()) + " participants\n";
  }
  return text;
}

}  // namespace reticle
