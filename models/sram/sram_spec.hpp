// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/base/units.hpp"

namespace reticle {

/// A die's on-chip SRAM: banks behind a crossbar, addresses interleaved over all banks by `width`.
/// A "bank" here is the unit of arbitration (a slice of many 128 KB macros that work in step).
struct SramParams {
  Bytes capacity{};
  std::int64_t banks = 1;
  Bytes width{};           ///< bytes a port of one bank moves per cycle
  std::int64_t ports = 1;  ///< simultaneous accesses per bank (read or write)
  Hertz clock{};
  Cycles latency{};    ///< address to first data
  Bytes interleave{};  ///< consecutive bytes in one bank before the next
};

/// Peak of all banks and ports.
constexpr BytesPerSecond peak_bandwidth(const SramParams& p) {
  return BytesPerSecond{p.banks * p.ports * p.width.count() * p.clock.count()};
}

}  // namespace reticle
