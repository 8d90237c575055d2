// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/units.hpp"

namespace reticle {

/// A further tier behind a host link: LPDDR, DDR or flash. Device and link work in sequence on each
/// chunk and overlap between chunks, so the slower one sets the rate.
struct LinkedMemoryParams {
  std::string device;  ///< lpddr5x | ddr5 | flash
  Bytes capacity{};
  BytesPerSecond device_rate{};
  Picoseconds device_latency{};
  BytesPerSecond link_rate{};
  Picoseconds link_latency{};
  Bytes chunk{};  ///< unit of transfer; smaller pieces cost a whole chunk
  std::int64_t queue_depth = 64;
};

}  // namespace reticle
