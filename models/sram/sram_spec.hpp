// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/kernel/form_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// A die's on-chip SRAM: banks behind a crossbar, addresses interleaved over all banks.
/// A "bank" here is the unit of arbitration (a slice of many 128 KB macros that work in step).
struct SramParams {
  Bytes capacity{};
  std::int64_t banks = 1;
  Bytes width{};           ///< bytes a port of one bank moves per cycle
  std::int64_t ports = 1;  ///< simultaneous accesses per bank (read or write)
  Hertz clock{};
  Cycles latency{};    ///< address to first data
  Bytes interleave{};  ///< consecutive bytes in one bank before the next
  Bytes crossbar{};    ///< bytes a requester's crossbar port moves per cycle; 0 = of every bank
  /// Transaction: a run reserves its banks when it is called (SramBankGroup). Cycle: every bank and
  /// port is arbitrated each cycle (CycleSram).
  ModelForm form = ModelForm::Transaction;
};

/// Words a requester can move in one cycle, one at most to each bank.
constexpr std::int64_t crossbar_words(const SramParams& p) {
  const std::int64_t words = p.crossbar.count() / p.width.count();
  return p.crossbar.count() == 0 || words >= p.banks ? p.banks : words > 0 ? words : 1;
}

/// Peak of all banks and ports.
constexpr BytesPerSecond peak_bandwidth(const SramParams& p) {
  return BytesPerSecond{p.banks * p.ports * p.width.count() * p.clock.count()};
}

}  // namespace reticle
