// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/base/units.hpp"

namespace reticle {

/// The link between a die and memory it does not own: PCIe, CXL, NVLink-C2C. A table of
/// configs/links.
struct HostLinkParams {
  std::string standard;   ///< the table it comes from
  BytesPerSecond rate{};  ///< on the wire, of one direction
  Picoseconds latency{};  ///< one way; a read pays it twice, for its request and for its data
  Bytes packet{256};      ///< most payload of one packet
  Bytes header{};         ///< bytes on the wire beside it
};

/// Payload of full packets; rounded up, as it serves as a bound.
constexpr BytesPerSecond peak_bandwidth(const HostLinkParams& p) {
  return BytesPerSecond{
      mul_div_up(p.rate.count(), p.packet.count(), (p.packet + p.header).count())};
}

}  // namespace reticle
