// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/memory/memory_if.hpp"
#include "models/memory/transaction_queue.hpp"
#include "models/tier/linked_spec.hpp"

namespace reticle {

/// LPDDR, DDR or flash behind a host link.
///
/// Models:     device and link as two servers in series, pipelined by chunks; a finite queue.
/// Leaves out: DRAM banks, flash wear and garbage collection, sharing of one link by several dies.
class LinkedMemory final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  LinkedMemory(const sc_core::sc_module_name& name, const LinkedMemoryParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

 private:
  const LinkedMemoryParams params_;
  Picoseconds device_free_{};
  Picoseconds link_free_{};
  TransactionQueue queue_;
  MemoryStats stats_;
};

}  // namespace reticle
