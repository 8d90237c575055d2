// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>
#include <vector>

#include "models/memory/memory_if.hpp"
#include "models/sram/sram_layout.hpp"
#include "models/sram/sram_spec.hpp"

namespace reticle {

/// The SRAM of one die in transaction form: banks behind a crossbar, addresses interleaved.
///
/// Models:     bank ports and crossbar ports as servers that runs hold in call order, so that
///             requesters meeting in a bank wait; access latency, pipelined.
/// Leaves out: arbitration cycle by cycle between runs that overlap (CycleSram has it), sub-bank
///             conflicts inside a slice, ECC, wire distance (docs/models/sram.md).
class SramBankGroup final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  SramBankGroup(const sc_core::sc_module_name& name, const SramParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

  /// Port cycles spent in one bank.
  [[nodiscard]] std::int64_t bank_words(std::int64_t bank) const {
    return bank_words_[static_cast<std::size_t>(bank)];
  }

 private:
  /// Takes the crossbar port of `requester` for `words`; the time it may begin, and how long.
  struct Passage {
    Picoseconds start{}, busy{};
  };
  Passage pass_crossbar(std::uint8_t requester, std::int64_t words, Picoseconds at);

  const SramParams params_;
  const Picoseconds latency_;
  const Picoseconds cycle_;
  SramLayout layout_;
  std::vector<Picoseconds> port_free_;      ///< [bank][port]
  std::vector<Picoseconds> crossbar_free_;  ///< per requester
  std::vector<std::int64_t> bank_words_;
  MemoryStats stats_;
};

}  // namespace reticle
