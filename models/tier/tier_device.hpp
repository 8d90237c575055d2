// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/memory/memory_spec.hpp"
#include "models/tier/tier_device_spec.hpp"

namespace reticle {

/// The channels of a tier's device, without their latency.
///
/// Models:     channels side by side, addresses interleaved; a channel is held by a run for the
///             longest of its data, its pages' share of the banks and the activate window; refresh
///             holds all channels when it is due.
/// Leaves out: which bank a page is in (pages spread evenly), open pages from run to run, command
///             bus, read-write turnaround, garbage collection and wear of flash.
class TierDevice {
 public:
  explicit TierDevice(const TierDeviceParams& params);

  struct Span {
    Picoseconds start{}, first{}, end{};  ///< begins, has moved its first bytes, is through
    std::int64_t pages = 0;
  };
  /// Holds the run's channels from `at` on. `first_bytes` of them are what goes on first.
  Span reserve(const MemoryRun& run, Picoseconds at, Bytes first_bytes);

  /// When `work` begun at `start` is through, refreshes on the way included.
  [[nodiscard]] Picoseconds through_refresh(Picoseconds start, Picoseconds work) const;

 private:
  /// What a run asks of each channel it uses.
  struct Demand {
    std::int64_t channels = 0;
    std::int64_t bytes = 0;
    std::int64_t pages = 0;
  };
  [[nodiscard]] Demand demand_of(const MemoryRun& run) const;
  /// Of `bytes` in one piece: the share of the channel that has most.
  [[nodiscard]] std::int64_t largest_share(std::int64_t bytes) const;

  const TierDeviceParams params_;
  std::vector<Picoseconds> free_;  ///< per channel
};

}  // namespace reticle
