// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/fabric.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Arbiters see whole nanoseconds (2^10 ps), a router's cycle: shares of a collective that differ
/// by a byte are alike to them, and keep the order of the phase.
constexpr int kArbitrationShift = 10;
/// A phase's messages are fewer than 2^24; 2^40 ticks are a quarter of an hour.
constexpr int kPositionBits = 24;
/// Exchanges kept with their routes: so many, and so many links of messages in all (100 MB).
constexpr std::size_t kMostRouted = 4096, kMostKeptHops = 1 << 21;
/// Times kept of how exchanges ended (32 MB).
constexpr std::size_t kMostRemembered = 1 << 22;
/// Up to this share above the time in which no order of the messages is much faster, it makes no
/// difference who goes first.
constexpr std::int64_t kWaitShare = 32;
constexpr std::size_t kAhead = 8;  ///< messages to look ahead when memory is fetched
constexpr std::int64_t kLinkStride = std::int64_t{1} << 32;

/// Sorts keys in the order of what is above their position; those alike keep their places.
void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& spare) {
  constexpr int kDigit = 11;  // bits: 2,048 counters, chosen
  constexpr std::size_t kDigits = std::size_t{1} << kDigit;
  if (std::is_sorted(keys.begin(), keys.end())) return;
  if (keys.size() < kDigits) return std::sort(keys.begin(), keys.end());
  const std::uint64_t most = *std::max_element(keys.begin(), keys.end());
  spare.resize(keys.size());
  for (int shift = kPositionBits; most >> shift > 0; shift += kDigit) {
    std::array<std::uint32_t, kDigits> place{};
    for (const std::uint64_t key : keys) ++place[(key >> shift) % kDigits];
    std::uint32_t before = 0;
    for (std::uint32_t& p : place) before += std::exchange(p, before);
    for (const std::uint64_t key : keys) spare[place[(key >> shift) % kDigits]++] = key;
    keys.swap(spare);
  }
}

std::vector<LinkRate> link_rates(const Topology& topology) {
  std::vector<LinkRate> rates;
  for (const auto& link : topology.links()) rates.emplace_back(link.params);
  return rates;
}
}  // namespace

Fabric::Fabric(const sc_core::sc_module_name& name, const FabricParams& params)
    : sc_module{name},
      topology_{params},
      overhead_{params.exchange_overhead},
      left_(topology_.links().size(), 1.0),
      rates_{link_rates(topology_)},
      queues_{topology_, rates_},
      free_(topology_.links().size()),
      used_by_(topology_.links().size(), -1),
      stats_(static_cast<std::size_t>(topology_.levels())),
      link_stats_(topology_.links().size()),
      offered_(topology_.links().size()) {
  port.bind(*this);
  SC_HAS_PROCESS(Fabric);
  SC_METHOD(resolve_all);
  sensitive << completed_;
  dont_initialize();
}

RoutedExchange& Fabric::route(const std::shared_ptr<const Exchange>& exchange) {
  auto& routed = routed_[exchange.get()];
  if (routed) return *routed;
  routed = std::make_unique<RoutedExchange>(exchange, topology_, rates_);
  kept_hops_ += routed->hops.size();
  return *routed;
}

void Fabric::forget_routes() {
  for (const auto& [exchange, routed] : routed_) routed->add_to_links(link_stats_, routed->runs);
  routed_.clear();
  kept_hops_ = remembered_ = 0;
}

std::vector<LinkStats> Fabric::link_stats() const {
  std::vector<LinkStats> all = link_stats_;
  for (const auto& [exchange, routed] : routed_) routed->add_to_links(all, routed->runs);
  return all;
}

void Fabric::load(std::span<const std::shared_ptr<const Exchange>> exchanges) {
  // What is kept owns its exchange, so an address cannot come to mean another one.
  if (routed_.size() > kMostRouted || kept_hops_ > kMostKeptHops) forget_routes();
  exchanges_.clear();
  progress_.resize(exchanges.size());
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    exchanges_.push_back(&route(exchanges[i]));
    const std::size_t count = exchanges[i]->participants.size();
    progress_[i].joined.assign(count, Picoseconds{-1});
    progress_[i].missing = static_cast<std::int32_t>(count);
  }
}

void Fabric::slow_down(std::int32_t level, DieId first, std::int64_t count, double left) {
  const auto begin = static_cast<std::int64_t>(index(first));
  const auto among = [&](std::int32_t node) { return node >= begin && node < begin + count; };
  const auto links = topology_.links();
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (links[i].level != level || !(among(links[i].from) || among(links[i].to))) continue;
    left_[i] *= left;
    LinkParams params = links[i].params;
    params.rate = BytesPerSecond{
        static_cast<std::int64_t>(static_cast<double>(params.rate.count()) * left_[i])};
    rates_[i] = LinkRate{params};
  }
  queues_.rates_changed();
  // Routes have times worked out for the former rates.
  exchanges_.clear();
  forget_routes();
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

Fabric::Arrival Fabric::deliver(std::span<const Hop> hops, Picoseconds at) {
  Picoseconds head = at;
  Picoseconds tail = at;
  Picoseconds injected = at;
  // The link before, or none: where a message comes from decides whether it queues behind another.
  std::int64_t from = resolved_ * kLinkStride;
  bool overflows = false;  // the buffer in which it waits; a source has room
  for (const Hop& hop : hops) {
    Picoseconds& free = free_[hop.link];
    const Picoseconds start = max(head, free);
    std::int64_t& used_by = used_by_[hop.link];
    if (used_by != from && used_by / kLinkStride == resolved_ && start > head) {
      longest_wait_ = max(longest_wait_, start - head);
      overflows_ |= overflows;
    }
    overflows = hop.overflows;
    used_by = from;
    free = start + hop.busy;
    head = start + hop.forward;
    tail = max(tail, free) + hop.forward;
    if (from % kLinkStride == 0) injected = free;
    from = resolved_ * kLinkStride + hop.link + 1;
  }
  return {injected, tail};
}

/// Orders the messages of a phase by when they can begin on their first link, which sends them as
/// listed. Links are given out in this order: going source by source instead would let the last
/// message of one die take a link ahead of the first ones of the others.
void Fabric::order(const RoutedExchange& routed, RoutedExchange::Phase& phase) {
  Picoseconds earliest = fronts_.front().ready;
  for (const ExchangeFront& front : fronts_) earliest = min(earliest, front.ready);
  ticks_.clear();
  for (const ExchangeFront& front : fronts_)
    ticks_.push_back((front.ready - earliest).count() >> kArbitrationShift);
  if (phase.messages.empty()) return;
  if (ticks_ == phase.ticks) return;  // the order is a function of these alone
  phase.ticks = ticks_;
  sorted_.clear();
  invariant(phase.messages.size() < (std::size_t{1} << kPositionBits), "messages of a phase");
  for (std::size_t i = 0; i < phase.messages.size(); ++i) {
    const RoutedMessage& m = phase.messages[i];
    Picoseconds begin{ticks_[static_cast<std::size_t>(m.source)] << kArbitrationShift};
    if (m.hops_begin != m.hops_end) {
      const Hop& first = routed.hops[m.hops_begin];
      begin = max(begin, offered_[first.link]);
      offered_[first.link] = begin + first.busy;
    }
    const auto tick = static_cast<std::uint64_t>(begin.count()) >> kArbitrationShift;
    sorted_.push_back(tick << kPositionBits | i);
  }
  for (const RoutedMessage& m : phase.messages)
    if (m.hops_begin != m.hops_end) offered_[routed.hops[m.hops_begin].link] = Picoseconds{};
  sort_keys(sorted_, sorting_);
  phase.order.clear();
  for (const std::uint64_t key : sorted_)
    phase.order.push_back(static_cast<std::int32_t>(key & ((1U << kPositionBits) - 1)));
}

void Fabric::run_phase(const RoutedExchange& routed, RoutedExchange::Phase& phase) {
  order(routed, phase);
  next_ = fronts_;
  // Large exchanges do not fit the cache, and are gone through in no order of memory.
  const auto ahead = [&](std::size_t i) -> const RoutedMessage* {
    return i < phase.order.size() ? &phase.messages[static_cast<std::size_t>(phase.order[i])]
                                  : nullptr;
  };
  for (std::size_t i = 0; i < phase.order.size(); ++i) {
    if (const RoutedMessage* later = ahead(i + 2 * kAhead)) __builtin_prefetch(later);
    if (const RoutedMessage* soon = ahead(i + kAhead))
      __builtin_prefetch(&routed.hops[soon->hops_begin]);
    const RoutedMessage& m = *ahead(i);
    const ExchangeFront& source = fronts_[static_cast<std::size_t>(m.source)];
    const Arrival arrival =
        deliver({routed.hops.data() + m.hops_begin, m.hops_end - m.hops_begin}, source.ready);
    auto& injected = injected_[static_cast<std::size_t>(m.source)];
    injected = max(injected, arrival.injected);
    ExchangeFront& target = next_[static_cast<std::size_t>(m.target)];
    if (arrival.tail > target.ready)
      target = {arrival.tail, source.latency + m.latency, source.root};
  }
  if (!phase.to_switch.empty()) run_in_switch(routed, phase);
  fronts_.swap(next_);
}

/// The sum leaves the switch as the parts come in: its head after the last part's head, its tail
/// after the last part's tail.
void Fabric::run_in_switch(const RoutedExchange& routed, const RoutedExchange::Phase& phase) {
  Picoseconds head{}, tail{};
  ExchangeFront last;
  for (const RoutedMessage& m : phase.to_switch) {
    const ExchangeFront& source = fronts_[static_cast<std::size_t>(m.source)];
    const Hop& hop = routed.hops[m.hops_begin];
    const Arrival arrival = deliver({&hop, 1}, source.ready);
    auto& injected = injected_[static_cast<std::size_t>(m.source)];
    injected = max(injected, arrival.injected);
    head = max(head, arrival.tail - hop.busy);
    if (arrival.tail < tail) continue;
    tail = arrival.tail;
    last = {tail, source.latency + m.latency, source.root};
  }
  for (const RoutedMessage& m : phase.from_switch) {
    const Hop& hop = routed.hops[m.hops_begin];
    const Arrival arrival = deliver({&hop, 1}, head);
    const Picoseconds done = max(arrival.tail, tail + hop.forward);
    ExchangeFront& target = next_[static_cast<std::size_t>(m.target)];
    if (done > target.ready) target = {done, last.latency + m.latency, last.root};
  }
}

/// What participants take between the phases is part of the latency.
void Fabric::pause(Picoseconds time) {
  for (ExchangeFront& front : fronts_)
    front = {front.ready + time, front.latency + time, front.root};
}

/// Gives the links out message by message. False when that is not how they would be shared: a
/// message waited for one that came another way, and the order makes a difference or the buffer
/// before the link does not take the message.
bool Fabric::reserve(RoutedExchange& routed) {
  ++resolved_;
  longest_wait_ = Picoseconds{};
  overflows_ = false;
  bool adds = false;
  for (auto& phase : routed.phases) {
    adds |= !phase.to_switch.empty();
    if (&phase != routed.phases.data()) pause(routed.exchange->step);
    run_phase(routed, phase);
  }
  if (adds || routed.exchange->step.count() > 0 || longest_wait_.count() == 0) return true;
  if (overflows_) return false;
  Picoseconds begin{}, end{};
  for (const Picoseconds ready : ready_) begin = max(begin, ready);
  for (const ExchangeFront& front : fronts_) end = max(end, front.ready - base_);
  const Picoseconds ideal = routed.ideal(ready_);
  return (end - ideal) * kWaitShare <= ideal - begin;
}

/// How the exchange begins.
void Fabric::begin(const RoutedExchange& routed) {
  base_ = fronts_.front().ready;
  for (const ExchangeFront& front : fronts_) base_ = min(base_, front.ready);
  ready_.clear();
  hash_ = 0;
  const auto mix = [&](Picoseconds t) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(t.count())) * 0x9e37'79b9'7f4a'7c15U;
    hash_ ^= hash_ >> 29;  // high bits into low ones
  };
  for (const ExchangeFront& front : fronts_) {
    ready_.push_back(front.ready - base_);
    mix(ready_.back());
  }
  occupied_.clear();
  for (const std::uint32_t link : routed.links)
    if (free_[link] > base_) {
      occupied_.emplace_back(link, free_[link] - base_);
      mix(occupied_.back().second);
    }
}

/// Takes the ending of a use that began alike.
bool Fabric::remember(const RoutedExchange& routed) {
  const auto [first, last] = routed.memories.equal_range(hash_);
  const auto found = std::find_if(first, last, [&](const auto& kept) {
    return kept.second.ready == ready_ && kept.second.occupied == occupied_;
  });
  if (found == last) return false;
  const RoutedExchange::Memory& memory = found->second;
  for (std::size_t s = 0; s < fronts_.size(); ++s) {
    fronts_[s] = memory.fronts[s];
    fronts_[s].ready += base_;
    if (memory.injected[s].count() > 0) injected_[s] = memory.injected[s] + base_;
  }
  for (std::size_t i = 0; i < routed.links.size(); ++i)
    free_[routed.links[i]] = memory.free[i] + base_;
  return true;
}

/// Notes how the exchange has ended.
void Fabric::keep(RoutedExchange& routed) {
  // A front holds five times and an occupied link two, against the bound on memory.
  const std::size_t times = routed.links.size() + 5 * fronts_.size() + 2 * occupied_.size();
  if (remembered_ + times > kMostRemembered) {
    for (auto& [exchange, other] : routed_) other->memories.clear();
    remembered_ = 0;
  }
  remembered_ += times;
  RoutedExchange::Memory& memory = routed.memories.emplace(hash_, RoutedExchange::Memory{})->second;
  memory.ready = ready_;
  memory.occupied = occupied_;
  memory.fronts = fronts_;
  for (ExchangeFront& front : memory.fronts) front.ready -= base_;
  memory.injected.reserve(injected_.size());
  for (const Picoseconds t : injected_)
    memory.injected.push_back(t.count() > 0 ? t - base_ : Picoseconds{});
  memory.free.reserve(routed.links.size());
  for (const std::uint32_t link : routed.links) memory.free.push_back(free_[link] - base_);
}

void Fabric::work_out(RoutedExchange& routed) {
  begin_ = fronts_;
  free_before_.clear();
  for (const std::uint32_t link : routed.links) free_before_.push_back(free_[link]);
  if (!reserve(routed)) {
    fronts_ = begin_;
    injected_.assign(fronts_.size(), Picoseconds{});
    for (std::size_t i = 0; i < routed.links.size(); ++i) free_[routed.links[i]] = free_before_[i];
    queues_.run(routed, fronts_, injected_, free_);
  }
  keep(routed);
}

void Fabric::resolve(std::int32_t id) {
  RoutedExchange& routed = *exchanges_[static_cast<std::size_t>(id)];
  const auto& participants = routed.exchange->participants;
  const auto& joined = progress_[static_cast<std::size_t>(id)].joined;
  const std::size_t count = participants.size();
  const Picoseconds overhead = overhead_ + routed.exchange->start;
  fronts_.resize(count);
  injected_.assign(count, Picoseconds{});
  for (std::size_t s = 0; s < count; ++s)
    fronts_[s] = {joined[s] + overhead, overhead, static_cast<std::int32_t>(s)};
  if (count > 0) {
    begin(routed);
    if (!remember(routed)) work_out(routed);
  }
  ++routed.runs;
  if (observer_ != nullptr) observer_->placed(id, routed, free_);
  sent_ += routed.sent;
  received_ += routed.received;
  for (std::size_t level = 0; level < stats_.size(); ++level) {
    stats_[level].messages += routed.counts[level].messages;
    stats_[level].bytes += routed.counts[level].bytes;
    stats_[level].busy += routed.counts[level].busy;
  }
  for (std::size_t s = 0; s < count; ++s) {
    const ExchangeFront& front = fronts_[s];
    ExchangeTiming timing{front.ready, front.root, joined[static_cast<std::size_t>(front.root)],
                          front.latency};
    if (injected_[s] > timing.done) {  // still pushing its last message out
      timing = {injected_[s], static_cast<std::int32_t>(s), joined[s], overhead};
    }
    dies[static_cast<int>(index(participants[s]))]->exchange_done(id, timing);
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
