// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/fabric/exchange_observer.hpp"

namespace reticle {

/// What one exchange did on one link.
struct LinkUse {
  std::int32_t exchange = 0;
  std::uint32_t link = 0;
  /// As long as the link was busy, and up to when it had sent everything: pauses between the
  /// messages of an exchange stand before the first. Uses of a link follow each other.
  Picoseconds begin{}, end{};
  Bytes bytes{};  ///< payload
  std::int64_t messages = 0;
};

/// Which links were busy when, of the exchanges of a step.
class LinkLog final : public ExchangeObserver {
 public:
  void placed(std::int32_t exchange, const RoutedExchange& routed,
              std::span<const Picoseconds> free) override;
  [[nodiscard]] const std::vector<LinkUse>& uses() const { return uses_; }
  /// For the next step; what has been sent stays known.
  void clear() { uses_.clear(); }

 private:
  std::vector<LinkUse> uses_;
  std::vector<LinkStats> sums_;     ///< per link, of the exchange in hand
  std::vector<Picoseconds> until_;  ///< per link: end of its last use
};

}  // namespace reticle
