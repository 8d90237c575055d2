// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/link_log.hpp"

namespace reticle {

void LinkLog::placed(std::int32_t exchange, const RoutedExchange& routed,
                     std::span<const Picoseconds> free) {
  sums_.resize(free.size());
  until_.resize(free.size());
  for (const std::uint32_t link : routed.links) sums_[link] = {};
  routed.add_to_links(sums_, 1);
  for (const std::uint32_t link : routed.links) {
    const LinkStats& sum = sums_[link];
    const Picoseconds begin = max(until_[link], free[link] - sum.busy);
    until_[link] = begin + sum.busy;
    uses_.push_back({.exchange = exchange,
                     .link = link,
                     .begin = begin,
                     .end = until_[link],
                     .bytes = sum.bytes,
                     .messages = sum.messages});
  }
}

}  // namespace reticle
