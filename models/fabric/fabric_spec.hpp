// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/kernel/form_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// One direction of one link.
struct LinkParams {
  BytesPerSecond rate{};
  Picoseconds latency{};  ///< wire, PHY and receiver
  Bytes buffer{};         ///< receiver's buffer = credits of the sender, in bytes
};

enum class TopologyKind : std::uint8_t { FullyConnected, Ring, Mesh2d, Torus2d, Switch };

/// One level of the hierarchy: how `width` (x `height`) children are joined. Level 0 joins dies
/// into a package, level 1 packages into a node, level 2 nodes. From level 1 on, `ports` says how
/// many of a child's dies carry a link of this level (all of them, or one gateway die).
struct FabricLevel {
  std::string name;  ///< package | node | scale_out
  TopologyKind kind = TopologyKind::FullyConnected;
  std::int64_t width = 1;
  std::int64_t height = 1;  ///< > 1 only for mesh and torus
  LinkParams link;
  Picoseconds router_latency{};  ///< per switch or die passed through
  std::int64_t ports = 1;        ///< dies per child with a link; must divide the child's dies
  bool adds = false;             ///< Switch: adds up messages and sends the sum to many
};

struct FabricParams {
  std::vector<FabricLevel> levels;
  /// Software or DMA start-up of one exchange (collective), paid by every participant.
  Picoseconds exchange_overhead{};
  ModelForm form = ModelForm::Transaction;
};

/// Counts of one link class (a level of the hierarchy).
struct LinkStats {
  std::int64_t messages = 0;
  Bytes bytes{};       ///< payload bytes x links crossed
  Picoseconds busy{};  ///< summed over links
};

}  // namespace reticle
