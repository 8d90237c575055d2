// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "models/fabric/routed_exchange.hpp"

namespace reticle {

/// Watches where exchanges take their place on the links.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  /// `exchange`: as in StepPrograms. `free`: of every link, when it has sent what it was given up
  /// to now, this exchange's messages included.
  virtual void placed(std::int32_t exchange, const RoutedExchange& routed,
                      std::span<const Picoseconds> free) = 0;
};

}  // namespace reticle
