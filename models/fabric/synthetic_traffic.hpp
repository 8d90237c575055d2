// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "models/fabric/synthetic_network.hpp"

namespace reticle {

/// Packets of equal size at random times to targets of a pattern.
struct TrafficParams {
  double offered = 0.1;      ///< flits per terminal and cycle
  std::int64_t packet = 1;   ///< flits
  std::int64_t warm_up = 0;  ///< cycles before packets count
  std::int64_t measured = 0;
  std::int64_t drain = 0;  ///< most cycles to wait for measured packets
  std::uint64_t seed = 1;
  /// Target of a source; uniform, the source included, when unset.
  std::function<std::int64_t(std::int64_t)> target;
};

/// Means over the packets made in the measured time, from the making (latency) or from the first
/// flit's leaving (network) to the last flit's arrival; waiting ones count as far as they came.
struct TrafficResult {
  double accepted = 0;  ///< flits per terminal and cycle that arrived in the measured time
  double latency = 0, network_latency = 0;
  double routers = 0;
  std::int64_t packets = 0;
  bool drained = true;
};

TrafficResult run_traffic(SyntheticNetwork& network, const TrafficParams& params);

/// Cycles until `packets` packets of every terminal to uniform targets have arrived.
std::int64_t run_batch(SyntheticNetwork& network, std::int64_t packets, std::int64_t flits,
                       std::uint64_t seed);

}  // namespace reticle
