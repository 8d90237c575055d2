// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/program/program.hpp"
#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// Event counts of a whole deployment: what accounts price. Integers only, so that sums do not
/// depend on their order.
struct EventCounts {
  std::array<Bytes, kTierCount> read{};
  std::array<Bytes, kTierCount> written{};
  Bytes staged{};  ///< through the staging buffer: one SRAM write and one read each
  std::array<Bytes, kTimeCategoryCount> loaded{};  ///< bytes loaded, by what they were for
  std::int64_t hbm_activates = 0;
  std::int64_t hbm_read_bursts = 0;  ///< whole bursts on the data buses: the I/O bits
  std::int64_t hbm_written_bursts = 0;
  std::int64_t hbm_bank_active_us = 0;  ///< banks with an open row x time
  std::int64_t hbm_refreshes = 0;       ///< of all banks of a pseudo-channel
  std::int64_t hbm_bank_refreshes = 0;  ///< of one bank
  std::array<std::int64_t, kPrecisionCount> macs{};
  std::int64_t vector_ops = 0;
  std::vector<Bytes> link_bytes;  ///< per fabric level, bytes x links crossed
  /// Busy time summed over all dies, for utilisation. Of a die's SRAM bank ports and HBM channels
  /// the mean counts; links are summed over all links of their level.
  Picoseconds sram_busy{}, hbm_busy{}, far_busy{}, flash_busy{}, mac_busy{}, vector_busy{};
  std::vector<Picoseconds> link_busy;

  EventCounts& operator+=(const EventCounts& other);
  EventCounts& operator-=(const EventCounts& other);
};

}  // namespace reticle
