// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/routed_exchange.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr int kRateShift = 22;
constexpr std::int64_t kLargestMessage = std::int64_t{1} << 36;  // 64 GiB
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
  const auto links = topology.links();
  std::vector<Topology::Hop> path;
  for (const auto& phase : exchange->phases) {
    auto& routed = phases.emplace_back().messages;
    routed.reserve(phase.size());
    for (const Message& m : phase) {
      invariant(m.bytes.count() <= kLargestMessage, "message size");
      RoutedMessage out{.source = m.source, .target = m.target, .bytes = m.bytes};
      out.hops_begin = static_cast<std::uint32_t>(hops.size());
      path.clear();
      topology.route(exchange->participants[static_cast<std::size_t>(m.source)],
                     exchange->participants[static_cast<std::size_t>(m.target)], {}, path);
      for (const auto& [id, wraps, descends] : path) {
        const Topology::Link& link = links[index(id)];
        const LinkRate& rate = rates[index(id)];
        const Bytes over = max(Bytes{0}, m.bytes - link.params.buffer);
        hops.push_back({.link = static_cast<std::uint32_t>(index(id)),
                        .level = link.level,
                        .busy = rate.serialise(m.bytes),
                        .overflow = rate.serialise(over),
                        .forward = &id == &path.back().link ? link.params.latency : link.forward});
        out.latency += hops.back().forward;
        LinkStats& stats = counts[static_cast<std::size_t>(link.level)];
        ++stats.messages;
        stats.bytes += m.bytes;
        stats.busy += hops.back().busy;
      }
      out.hops_end = static_cast<std::uint32_t>(hops.size());
      routed.push_back(out);
    }
  }
}

}  // namespace reticle
