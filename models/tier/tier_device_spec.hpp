// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/units.hpp"

namespace reticle {

/// A memory device as a table: DRAM and flash differ in numbers only. A page is a DRAM row or a
/// flash page; opening one occupies a bank (DRAM) or a plane (flash) for a while. A table of
/// configs/tiers gives one channel; the platform says how many there are.
struct TierDeviceParams {
  std::string standard;  ///< the table it comes from
  std::int64_t channels = 1;
  BytesPerSecond rate{};  ///< data bus of one channel
  Bytes burst{};          ///< least that moves; a smaller piece costs one
  Bytes page{};
  Bytes interleave{};              ///< consecutive bytes in one channel
  std::int64_t banks = 1;          ///< of one channel: banks or planes, one page open in each
  Picoseconds page_read{};         ///< a bank is held by a page that is read: tRC, or tR of flash
  Picoseconds page_write{};        ///< likewise written, recovery included; program time of flash
  Picoseconds four_pages{};        ///< at most four pages may be opened within: tFAW; 0 = no limit
  Picoseconds refresh_interval{};  ///< tREFI; 0 = no refresh
  Picoseconds refresh_time{};      ///< tRFC: all banks are held
  Picoseconds read_latency{};      ///< idle: request to first data, its page's opening included
  Picoseconds write_latency{};     ///< last data to acknowledgement
};

constexpr BytesPerSecond peak_bandwidth(const TierDeviceParams& p) {
  return BytesPerSecond{p.channels * p.rate.count()};
}

}  // namespace reticle
