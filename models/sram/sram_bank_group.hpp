// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>
#include <vector>

#include "models/memory/memory_if.hpp"
#include "models/sram/sram_spec.hpp"

namespace reticle {

/// The SRAM of one die: banks behind a crossbar, addresses interleaved over the banks.
///
/// Models:     per-bank port occupancy, so that two requesters meeting in a bank wait; access
///             latency; reads and writes per bank.
/// Leaves out: sub-bank conflicts inside a slice, ECC, and wire distance (docs/models/sram.md).
class SramBankGroup final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  SramBankGroup(const sc_core::sc_module_name& name, const SramParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

  [[nodiscard]] Bytes bank_read(std::int64_t bank) const { return banks_[std::size_t(bank)].read; }
  [[nodiscard]] Bytes bank_written(std::int64_t bank) const {
    return banks_[std::size_t(bank)].written;
  }

 private:
  struct Bank {
    std::vector<Picoseconds> port_free;
    Bytes read{};
    Bytes written{};
  };

  /// Keeps a port of `bank` busy, from `at` or as soon as one is free; returns when that is.
  Picoseconds reserve(Bank& bank, Picoseconds busy, Picoseconds at);

  const SramParams params_;
  const Picoseconds latency_;
  std::vector<Bank> banks_;
  MemoryStats stats_;
};

}  // namespace reticle
