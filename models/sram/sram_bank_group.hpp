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

  [[nodiscard]] Bytes bank_read(std::int64_t bank) const { return read_[std::size_t(bank)]; }
  [[nodiscard]] Bytes bank_written(std::int64_t bank) const { return written_[std::size_t(bank)]; }

 private:
  /// One bank's part of a run.
  struct Share {
    Bytes bytes{};
    Picoseconds busy{};
  };
  [[nodiscard]] Share share_of(std::int64_t bytes, std::int64_t piece) const;
  /// What a run has reserved so far.
  struct Span {
    Picoseconds at{}, first_start{}, done{};
  };
  /// Takes, in each of `count` banks from `first`, the port that is free first.
  void reserve(std::int64_t first, std::int64_t count, const Share& share, Span& span,
               std::vector<Bytes>& counted);

  const SramParams params_;
  const Picoseconds latency_;
  const Picoseconds cycle_;
  std::vector<Picoseconds> port_free_;  ///< [bank][port]
  std::vector<Bytes> read_, written_;   ///< per bank
  MemoryStats stats_;
};

}  // namespace reticle
