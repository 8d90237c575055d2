// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/routed_exchange.hpp"

#include <algorithm>

#include "models/fabric/flit_spec.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr Bytes kFlit = FlitFabricParams{}.flit;  ///< a link does not divide it
constexpr int kRateShift = 22;                    ///< fraction bits of ps per byte
constexpr std::int64_t kLargestMessage = std::int64_t{1}
                                         << 36;  // 64 GiB, so that products with rates fit
}  // namespace

LinkRate::LinkRate(const LinkParams& link) {
  std::int64_t rate = link.rate.count();
  const std::int64_t round_trip = 2 * link.latency.count();
  if (link.buffer.count() > 0 && round_trip > 0)
    rate = std::min(rate, mul_div_up(link.buffer.count(), kPicosecondsPerSecond, round_trip));
  scaled_ps_per_byte_ = mul_div_up(kPicosecondsPerSecond, std::int64_t{1} << kRateShift, rate);
}

Picoseconds LinkRate::serialise(Bytes bytes) const {
  // The product of a large message on a slow link passes 64 bits.
  const auto scaled = static_cast<unsigned __int128>(bytes.count()) *
                      static_cast<unsigned __int128>(scaled_ps_per_byte_);
  return Picoseconds{static_cast<std::int64_t>((scaled + (1U << kRateShift) - 1) >> kRateShift)};
}

RoutedExchange::RoutedExchange(std::shared_ptr<const Exchange> of, const Topology& topology,
                               std::span<const LinkRate> rates)
    : exchange{std::move(of)}, counts(static_cast<std::size_t>(topology.levels())) {
  std::vector<Topology::Hop> path;
  seen_.resize(topology.links().size());
  for (const auto& phase : exchange->phases) {
    Phase& routed = phases.emplace_back();
    routed.messages.reserve(phase.size());
    bool in_switch = false;
    for (const Message& m : phase) {
      invariant(m.bytes.count() <= kLargestMessage, "message size");
      in_switch |= m.target == kInSwitch;
      if (m.target == kInSwitch) continue;
      RoutedMessage out{.source = m.source, .target = m.target, .bytes = m.bytes};
      path.clear();
      topology.route(exchange->participants[static_cast<std::size_t>(m.source)],
                     exchange->participants[static_cast<std::size_t>(m.target)], {}, path);
      // Growing by doubling would touch the memory twice; routes of a phase are about as long.
      if (routed.messages.empty()) hops.reserve(hops.size() + phase.size() * (path.size() + 1));
      add_hops(out, path, topology, rates);
      routed.messages.push_back(out);
      sent += m.bytes;
      received += m.bytes;
    }
    if (in_switch) add_switch(routed, phase, topology, rates);
  }
  seen_ = {};
}

Picoseconds RoutedExchange::busiest(const Phase& phase, std::span<const Picoseconds> ready) const {
  /// What a link sends, and when the first of it can be at its target.
  struct Load {
    Picoseconds busy{}, least{};
    std::int64_t messages = 0;
  };
  std::uint32_t most = 0;
  for (const std::uint32_t link : links) most = std::max(most, link);
  std::vector<Load> loads(most + 1);
  Picoseconds end{};
  for (const RoutedMessage& m : phase.messages) {
    const Picoseconds begin = ready.empty() ? Picoseconds{} : ready[std::size_t(m.source)];
    for (std::uint32_t h = m.hops_begin; h < m.hops_end; ++h) {
      Load& load = loads[hops[h].link];
      const Picoseconds head = begin + m.latency;
      load.busy += hops[h].busy;
      load.least = load.messages++ == 0 ? head : min(load.least, head);
      end = max(end, head + hops[h].busy);
    }
  }
  for (const Load& load : loads) end = max(end, load.busy + load.least);
  return end;
}

Picoseconds RoutedExchange::ideal(std::span<const Picoseconds> ready) const {
  if (phases.empty()) return Picoseconds{};
  if (!later_) {
    later_ = Picoseconds{};
    for (std::size_t p = 1; p < phases.size(); ++p) *later_ += busiest(phases[p], {});
  }
  return busiest(phases.front(), ready) + *later_;
}

void RoutedExchange::add_hops(RoutedMessage& message, std::span<const Topology::Hop> path,
                              const Topology& topology, std::span<const LinkRate> rates) {
  message.wire = div_up(message.bytes.count(), kFlit.count()) * kFlit;
  message.hops_begin = static_cast<std::uint32_t>(hops.size());
  const LinkRate* serialised = nullptr;  // the rate that `busy` was worked out for
  Picoseconds busy{};
  for (const Topology::Hop& hop : path) {
    const Topology::Link& link = topology.links()[index(hop.link)];
    const LinkRate& rate = rates[index(hop.link)];
    if (serialised == nullptr || !(*serialised == rate)) busy = rate.serialise(message.wire);
    serialised = &rate;
    const bool last = &hop == &path.back() && message.target != kInSwitch;
    hops.push_back({.link = static_cast<std::uint32_t>(index(hop.link)),
                    .channel = static_cast<std::int8_t>(topology.channel(hop).number),
                    .overflows = message.bytes > link.params.buffer,
                    .busy = busy,
                    .forward = last ? link.params.latency : link.forward});
    message.latency += hops.back().forward;
    if (seen_[index(hop.link)] == 0) links.push_back(hops.back().link);
    seen_[index(hop.link)] = 1;
    LinkStats& stats = counts[static_cast<std::size_t>(link.level)];
    ++stats.messages;
    stats.bytes += message.bytes;
    stats.busy += busy;
  }
  message.hops_end = static_cast<std::uint32_t>(hops.size());
}

/// What goes to the switch, and the sum from there to every participant but a single sender.
void RoutedExchange::add_switch(Phase& phase, std::span<const Message> messages,
                                const Topology& topology, std::span<const LinkRate> rates) {
  const auto& dies = exchange->participants;
  const auto port = [&](std::int32_t slot) {
    const auto found = topology.switch_port(dies[static_cast<std::size_t>(slot)], dies);
    invariant(found.has_value(), "every participant has a port of the switch that adds");
    return *found;
  };
  Bytes sum{};
  for (const Message& m : messages) {
    if (m.target != kInSwitch) continue;
    RoutedMessage up{.source = m.source, .target = kInSwitch, .bytes = m.bytes};
    const Topology::Hop hop{port(m.source).up};
    add_hops(up, {&hop, 1}, topology, rates);
    phase.to_switch.push_back(up);
    sent += m.bytes;
    sum = max(sum, m.bytes);
  }
  for (std::int32_t slot = 0; slot < static_cast<std::int32_t>(dies.size()); ++slot) {
    if (phase.to_switch.size() == 1 && phase.to_switch[0].source == slot) continue;
    RoutedMessage down{.source = kInSwitch, .target = slot, .bytes = sum};
    const Topology::Hop hop{port(slot).down};
    add_hops(down, {&hop, 1}, topology, rates);
    phase.from_switch.push_back(down);
    received += sum;
  }
}

void RoutedExchange::add_to_links(std::span<LinkStats> stats, std::int64_t times) const {
  const auto add = [&](const std::vector<RoutedMessage>& messages) {
    for (const RoutedMessage& m : messages)
      for (std::uint32_t h = m.hops_begin; h < m.hops_end; ++h) {
        LinkStats& link = stats[hops[h].link];
        link.messages += times;
        link.bytes += times * m.bytes;
        link.busy += times * hops[h].busy;
      }
  };
  for (const Phase& phase : phases) {
    add(phase.messages);
    add(phase.to_switch);
    add(phase.from_switch);
  }
}

}  // namespace reticle
