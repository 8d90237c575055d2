// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <systemc>

#include "models/memory/memory_if.hpp"
#include "models/memory/transaction_queue.hpp"
#include "models/tier/linked_spec.hpp"
#include "models/tier/tier_device.hpp"

namespace reticle {

/// LPDDR, DDR or flash behind a host link, in transaction form.
///
/// Models:     a device of channels and banks (TierDevice) and a link with a server per direction,
///             one after the other on every packet and side by side over a run, so that the slower
///             one sets the rate; packet headers; a finite queue.
/// Leaves out: what TierDevice leaves out; read requests take no room on the link; one link shared
///             by several dies (docs/models/tiers.md).
class LinkedMemory final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  LinkedMemory(const sc_core::sc_module_name& name, const LinkedMemoryParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

 private:
  AccessTiming read(const MemoryRun& run, Picoseconds accepted);
  AccessTiming write(const MemoryRun& run, Picoseconds accepted);
  /// Of the run on the wire; of its first packet.
  [[nodiscard]] Picoseconds on_wire(const MemoryRun& run) const;
  [[nodiscard]] Bytes first_payload(const MemoryRun& run) const;
  [[nodiscard]] Picoseconds first_packet(const MemoryRun& run) const;

  const LinkedMemoryParams params_;
  TierDevice device_;
  Picoseconds inward_free_{}, outward_free_{};  ///< link towards the die, and away from it
  Picoseconds last_done_{};
  TransactionQueue queue_;
  MemoryStats stats_;
};

}  // namespace reticle
