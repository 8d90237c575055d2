// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/cycle_fabric.hpp"

#include <algorithm>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr int kSpacingShift = 16;          // fixed point: 2^-16 of a cycle
constexpr std::size_t kMostRouted = 1024;  ///< exchanges kept with their routes
/// A flit takes a cycle to leave and at least one on the wire, and a router two more.
constexpr std::int64_t kOwnLinkCycles = 1, kOwnRouterCycles = 2;

/// Switch chips pass on what their ports can: virtual output queues in a shared buffer, some
/// iterations of iSLIP, a switch twice as fast as a port [McKeown, ToN 1999].
constexpr std::int32_t kVcsPerQueue = 2;
RouterParams router_of(const FlitFabricParams& flits) {
  return {.vcs = flits.vcs,
          .shared_buffer = true,
          .allocator = AllocatorKind::Islip,
          .iterations = 4,  // of iSLIP per cycle, chosen
          .input_speedup = 2};
}

BytesPerSecond fastest_of(const Topology& topology) {
  BytesPerSecond fastest{1};
  for (const auto& link : topology.links())
    if (link.params.rate > fastest) fastest = link.params.rate;
  return fastest;
}
}  // namespace

/// Dies are routers: other dies' messages pass through them. The cycle is a flit's time on the
/// fastest link; latencies are rounded to it.
FlitGraph CycleFabric::graph_of(const Topology& topology, const FlitFabricParams& flits) {
  FlitGraph graph;
  const BytesPerSecond fastest = fastest_of(topology);
  const Picoseconds cycle = transfer_time(flits.flit, fastest);
  const auto cycles = [&](Picoseconds t) {
    return (2 * t.count() + cycle.count()) / (2 * cycle.count());
  };
  graph.nodes.resize(static_cast<std::size_t>(topology.nodes()));
  for (const auto& link : topology.links()) {
    const std::int64_t wire =
        std::max<std::int64_t>(0, cycles(link.params.latency) - kOwnLinkCycles);
    FlitLink out{.from = link.from, .to = link.to, .latency = wire, .credit_latency = wire};
    out.spacing = mul_div_up(fastest.count(), 1 << kSpacingShift, link.params.rate.count());
    out.delay = std::max<std::int64_t>(0, cycles(link.router) - kOwnRouterCycles);
    out.vc_buffer = flits.vc_buffer;
    if (out.vc_buffer == 0)
      out.vc_buffer = link.params.buffer.count() / flits.flit.count() / flits.vcs;
    // Without a buffer nothing moves; below two flits a packet waits for every credit.
    out.vc_buffer = std::max<std::int64_t>(2, out.vc_buffer);
    graph.links.push_back(out);
  }
  return graph;
}

CycleFabric::CycleFabric(const sc_core::sc_module_name& name, const FabricParams& params,
                         const FlitFabricParams& flits)
    : sc_module{name},
      topology_{params},
      flits_{flits},
      overhead_{params.exchange_overhead},
      fastest_{fastest_of(topology_)},
      network_{graph_of(topology_, flits), router_of(flits)},
      stats_(static_cast<std::size_t>(topology_.levels())) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(topology_.nodes()));
  for (const auto& link : topology_.links()) {
    rates_.emplace_back(link.params);
    out_.push_back(out[static_cast<std::size_t>(link.from)]++);
  }
  port.bind(*this);
  SC_HAS_PROCESS(CycleFabric);
  SC_METHOD(advance);
  sensitive << wake_;
  dont_initialize();
}

std::int64_t CycleFabric::flits_of(Bytes bytes) const {
  return std::max<std::int64_t>(1, div_up(bytes.count(), flits_.flit.count()));
}

Picoseconds CycleFabric::time_of_cycle(std::int64_t cycle) const {
  return transfer_time(Bytes{cycle * flits_.flit.count()}, fastest_);
}

/// The first cycle that begins at `time` or later.
std::int64_t CycleFabric::cycle_at(Picoseconds time) const {
  const auto flit = static_cast<__int128>(flits_.flit.count()) * kPicosecondsPerSecond;
  auto cycle =
      static_cast<std::int64_t>(static_cast<__int128>(time.count()) * fastest_.count() / flit);
  while (time_of_cycle(cycle) < time) ++cycle;
  return cycle;
}

/// Each class of routes has its part of a link's virtual channels.
std::int32_t CycleFabric::add_route(std::span<const Topology::Hop> path) {
  const Topology::Link& first = topology_.links()[index(path.front().link)];
  const Topology::Link& last = topology_.links()[index(path.back().link)];
  const std::uint64_t key = std::uint64_t(std::uint32_t(first.from)) << 32 | std::uint32_t(last.to);
  const auto [found, fresh] = routes_.try_emplace(key, 0);
  if (!fresh) return found->second;
  std::vector<FlitHop> hops;
  for (const Topology::Hop& hop : path) {
    const Topology::Channel channel = topology_.channel(hop);
    const auto vcs = static_cast<std::int32_t>(flits_.vcs);
    invariant(vcs >= channel.of, "a virtual channel for every class of routes");
    const std::int32_t low = vcs * channel.number / channel.of;
    const std::int32_t high = vcs * (channel.number + 1) / channel.of;
    hops.push_back({static_cast<std::int32_t>(index(hop.link)), low, high});
    // By the link it goes on over; what is taken in at the link's end may use any channel.
    const std::int32_t queues = (high - low) / kVcsPerQueue;
    if (&hop == &path.back() || queues < 2) continue;
    const std::int32_t queue = out_[index((&hop + 1)->link)] % queues;
    hops.back().vc_begin = low + queue * kVcsPerQueue;
    hops.back().vc_end = hops.back().vc_begin + kVcsPerQueue;
  }
  found->second = network_.add_route(hops);
  return found->second;
}

CycleFabric::Routed& CycleFabric::route(const std::shared_ptr<const Exchange>& exchange) {
  Routed& routed = routed_[exchange.get()];
  if (routed.exchange) return routed;
  routed.exchange = std::make_unique<RoutedExchange>(exchange, topology_, rates_);
  const std::size_t count = exchange->participants.size();
  const auto sending = [&](const RoutedMessage& m) {
    Sending out{m.source, m.target, -1, flits_of(m.bytes), m.bytes, m.latency};
    std::vector<Topology::Hop> path;
    for (std::uint32_t h = m.hops_begin; h < m.hops_end; ++h)
      path.push_back({LinkId{routed.exchange->hops[h].link}});
    if (m.source >= 0 && m.target >= 0) {
      path.clear();
      topology_.route(exchange->participants[static_cast<std::size_t>(m.source)],
                      exchange->participants[static_cast<std::size_t>(m.target)], {}, path);
    }
    if (!path.empty()) out.route = add_route(path);
    return out;
  };
  for (const auto& from : routed.exchange->phases) {
    Phase& phase = routed.phases.emplace_back();
    phase.by_slot.resize(count);
    phase.expected.assign(count, 0);
    for (const auto* messages : {&from.messages, &from.to_switch})
      for (const RoutedMessage& m : *messages) {
        phase.by_slot[static_cast<std::size_t>(m.source)].push_back(sending(m));
        if (m.target >= 0) ++phase.expected[static_cast<std::size_t>(m.target)];
      }
    phase.parts = static_cast<std::int32_t>(from.to_switch.size());
    for (const RoutedMessage& m : from.from_switch) {
      phase.sums.push_back(sending(m));
      ++phase.expected[static_cast<std::size_t>(m.target)];
    }
  }
  return routed;
}

void CycleFabric::load(std::span<const std::shared_ptr<const Exchange>> exchanges) {
  runs_.assign(exchanges.size(), {});
  if (routed_.size() > kMostRouted) routed_.clear();
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    Run& run = runs_[i];
    run.routed = &route(exchanges[i]);
    const std::size_t count = exchanges[i]->participants.size();
    run.slots.resize(count);
    for (Slot& slot : run.slots) slot.held.resize(run.routed->phases.size());
    run.missing = run.telling = static_cast<std::int32_t>(count);
    run.adders.resize(run.routed->phases.size());
    for (Adder& adder : run.adders) {
      adder.parts.resize(count);
      adder.down.resize(count);
    }
  }
}

void CycleFabric::join(std::int32_t exchange, std::int32_t slot) {
  Run& run = runs_[static_cast<std::size_t>(exchange)];
  Slot& s = run.slots[static_cast<std::size_t>(slot)];
  invariant(s.joined.count() < 0 && run.missing > 0, "a participant joins once");
  s.joined = now();
  --run.missing;
  starts_.emplace(s.joined + overhead_, exchange, slot);
  // In a later delta cycle: those that join at one time start in the order of their ids.
  wake_.notify(overhead_.count() > 0 ? to_sc_time(overhead_) : sc_core::SC_ZERO_TIME);
}

void CycleFabric::advance() {
  while (!starts_.empty() && std::get<0>(starts_.top()) <= now()) {
    const auto [time, exchange, slot] = starts_.top();
    starts_.pop();
    start(exchange, slot);
  }
  for (std::int64_t next = network_.next_active();
       next != FlitNetwork::kNever && time_of_cycle(next) <= now(); next = network_.next_active())
    step(next);
  schedule();
}

void CycleFabric::schedule() {
  const std::int64_t next = network_.next_active();
  Picoseconds at{std::numeric_limits<std::int64_t>::max()};
  if (next != FlitNetwork::kNever) at = time_of_cycle(next);
  if (!starts_.empty()) at = min(at, std::get<0>(starts_.top()));
  if (at.count() == std::numeric_limits<std::int64_t>::max()) return;
  wake_.notify(to_sc_time(max(at, now()) - now()));
}

void CycleFabric::step(std::int64_t cycle) {
  network_.step(cycle);
  cycle_ = cycle;
  const Picoseconds at = time_of_cycle(cycle);
  for (const std::int32_t message : network_.departed()) {
    const Tag& tag = tags_[static_cast<std::size_t>(message)];
    const std::int32_t slot = tag.sending->slot;
    if (slot < 0) continue;  // a sum, from a switch
    Slot& s = runs_[static_cast<std::size_t>(tag.run)].slots[static_cast<std::size_t>(slot)];
    s.left = max(s.left, time_of_cycle(cycle + 1));
    --s.leaving;
    tell_if_done(tag.run, slot);
  }
  for (const auto& arrival : network_.arrived()) {
    const Tag tag = tags_[static_cast<std::size_t>(arrival.message)];
    if (tag.sending->target == kInSwitch) {
      add(tag, arrival.last);
    } else if (tag.sending->slot == kInSwitch) {
      take_sum(tag);
    } else if (arrival.last) {
      arrive(tag, tag.sending->target,
             {at, tag.sent.latency + tag.sending->latency, tag.sent.root});
    }
  }
}

void CycleFabric::start(std::int32_t exchange, std::int32_t slot) {
  Slot& s = runs_[static_cast<std::size_t>(exchange)].slots[static_cast<std::size_t>(slot)];
  s.begun = true;
  // What has arrived before it joined was not waited for.
  const Picoseconds ready = s.joined + overhead_;
  if (s.front.ready <= ready) s.front = {ready, overhead_, slot};
  proceed(exchange, slot);
}

/// Sends the phases whose predecessor the participant holds.
void CycleFabric::proceed(std::int32_t exchange, std::int32_t slot) {
  Run& run = runs_[static_cast<std::size_t>(exchange)];
  Slot& s = run.slots[static_cast<std::size_t>(slot)];
  const auto& phases = run.routed->phases;
  const auto at = static_cast<std::size_t>(slot);
  if (!s.begun) return;
  while (s.phase < phases.size()) {
    if (s.phase > 0 && s.held[s.phase - 1] < phases[s.phase - 1].expected[at]) return;
    const std::size_t phase = s.phase++;
    for (const Sending& sending : phases[phase].by_slot[at])
      send(exchange, phase, sending, sending.flits, s.front);
  }
  tell_if_done(exchange, slot);
}

void CycleFabric::send(std::int32_t exchange, std::size_t phase, const Sending& sending,
                       std::int64_t flits, const Front& front) {
  Run& run = runs_[static_cast<std::size_t>(exchange)];
  const Tag tag{exchange, phase, &sending, front};
  if (sending.slot >= 0) sent_ += sending.bytes;
  if (sending.route < 0) return arrive(tag, sending.target, front);
  if (sending.slot >= 0) ++run.slots[static_cast<std::size_t>(sending.slot)].leaving;
  // A switch adds flit by flit.
  const bool sums = sending.target == kInSwitch || sending.slot == kInSwitch;
  const std::int64_t cycle = std::max(cycle_at(now()), cycle_ + 1);
  const auto id = static_cast<std::size_t>(
      network_.send(sending.route, flits, sums ? 1 : flits_.packet_flits, cycle));
  if (tags_.size() <= id) tags_.resize(id + 1);
  tags_[id] = tag;
}

void CycleFabric::arrive(const Tag& tag, std::int32_t slot, const Front& front) {
  Slot& s = runs_[static_cast<std::size_t>(tag.run)].slots[static_cast<std::size_t>(slot)];
  received_ += tag.sending->bytes;
  ++s.held[tag.phase];
  if (front.ready > s.front.ready) s.front = front;
  proceed(tag.run, slot);
}

/// A flit of a part is at the switch: what all parts have brought goes on.
void CycleFabric::add(const Tag& tag, bool last) {
  Run& run = runs_[static_cast<std::size_t>(tag.run)];
  const Phase& phase = run.routed->phases[tag.phase];
  Adder& adder = run.adders[tag.phase];
  std::int64_t& part = adder.parts[static_cast<std::size_t>(tag.sending->slot)];
  if (part == 0) ++adder.begun;
  ++part;
  adder.last = {time_of_cycle(cycle_), tag.sent.latency + tag.sending->latency, tag.sent.root};
  if (last) part = std::numeric_limits<std::int64_t>::max();
  if (adder.begun < phase.parts) return;
  std::int64_t here = phase.sums.empty() ? 0 : phase.sums.front().flits;
  for (const std::int64_t p : adder.parts)
    if (p > 0) here = std::min(here, p);
  const std::int64_t fresh = here - adder.sent;
  if (fresh <= 0) return;
  adder.sent = here;
  for (const Sending& sum : phase.sums) send(tag.run, tag.phase, sum, fresh, adder.last);
}

void CycleFabric::take_sum(const Tag& tag) {
  Run& run = runs_[static_cast<std::size_t>(tag.run)];
  const std::int32_t slot = tag.sending->target;
  if (++run.adders[tag.phase].down[static_cast<std::size_t>(slot)] < tag.sending->flits) return;
  arrive(tag, slot,
         {time_of_cycle(cycle_), tag.sent.latency + tag.sending->latency, tag.sent.root});
}

void CycleFabric::tell_if_done(std::int32_t exchange, std::int32_t slot) {
  Run& run = runs_[static_cast<std::size_t>(exchange)];
  Slot& s = run.slots[static_cast<std::size_t>(slot)];
  const auto& phases = run.routed->phases;
  if (s.told || !s.begun || s.phase < phases.size() || s.leaving > 0) return;
  for (std::size_t p = 0; p < phases.size(); ++p)
    if (s.held[p] < phases[p].expected[static_cast<std::size_t>(slot)]) return;
  s.told = true;
  if (--run.telling == 0) {
    const auto& counts = run.routed->exchange->counts;
    for (std::size_t level = 0; level < stats_.size(); ++level) {
      stats_[level].messages += counts[level].messages;
      stats_[level].bytes += counts[level].bytes;
      stats_[level].busy += counts[level].busy;
    }
  }
  const Front& front = s.front;
  ExchangeTiming timing{front.ready, front.root,
                        run.slots[static_cast<std::size_t>(front.root)].joined, front.latency};
  if (s.left > timing.done) timing = {s.left, slot, s.joined, overhead_};
  const auto& participants = run.routed->exchange->exchange->participants;
  dies[static_cast<int>(index(participants[static_cast<std::size_t>(slot)]))]->exchange_done(
      exchange, timing);
}

std::string CycleFabric::pending() const {
  std::string text;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    if (run.missing == 0 || static_cast<std::size_t>(run.missing) == run.slots.size()) continue;
    text += "fabric: exchange " + std::to_string(i) + " waits for " + std::to_string(run.missing) +
            " of " + std::to_string(run.slots.size()) + " participants\n";
  }
  return text + network_.pending();
}

}  // namespace reticle
