// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/tier/host_link_spec.hpp"
#include "models/tier/tier_device_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// A further tier behind a host link: LPDDR, DDR or flash, and the link to it.
struct LinkedMemoryParams {
  Bytes capacity{};
  std::int64_t queue_depth = 64;  ///< bursts; default, as of HBM
  TierDeviceParams device;
  HostLinkParams link;
};

/// What a stream of full packets gets: the slower of device and link.
constexpr BytesPerSecond peak_bandwidth(const LinkedMemoryParams& p) {
  return min(peak_bandwidth(p.device), peak_bandwidth(p.link));
}

}  // namespace reticle
