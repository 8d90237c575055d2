// SPDX-License-Identifier: Apache-2.0
// Parameters and counts of the flit-level network.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

enum class AllocatorKind : std::uint8_t {
  SeparableInputFirst,  ///< each input asks for one output; round robin on both sides
  Islip                 ///< each output grants, each input accepts, over some iterations
};

/// Routers are alike; a cycle is the time of one flit on the fastest link.
struct RouterParams {
  std::int64_t vcs = 8;         ///< virtual channels per link, at most 64
  std::int64_t vc_buffer = 16;  ///< flits per virtual channel
  /// All channels of a link share their buffers: beyond `kReserved` flits of its own a channel may
  /// hold as much as is left over. [Choudhury and Hahne, ToN 1998]
  bool shared_buffer = false;
  /// Cycles from a credit's arrival to its use.
  std::int64_t credit_delay = 1;
  AllocatorKind allocator = AllocatorKind::SeparableInputFirst;
  std::int64_t iterations = 1;  ///< of iSLIP
  /// A virtual channel's flits enter the switch by port (channel mod speed-up) of its link.
  std::int64_t input_speedup = 1;
  /// A packet asks for the switch while it still asks for a virtual channel.
  bool speculative = false;
};

/// One direction of a channel between two nodes.
struct FlitLink {
  std::int32_t from = 0, to = 0;
  std::int64_t latency = 1;         ///< cycles, beside the cycle that leaves the router
  std::int64_t credit_latency = 1;  ///< cycles back
  std::int64_t spacing = 1 << 16;   ///< 2^-16 cycles per flit; at least one cycle
  std::int64_t vc_buffer = 0;       ///< flits per virtual channel; 0: as RouterParams say
  std::int64_t delay = 0;  ///< cycles in the router at `to` before a flit that goes on may ask
};

/// Nodes are routers; a terminal only sends and receives, and pays no arbitration.
struct FlitNode {
  bool terminal = false;
};

struct FlitGraph {
  std::vector<FlitNode> nodes;
  std::vector<FlitLink> links;
};

/// One link of a route and the virtual channels it may use: [vc_begin, vc_end).
struct FlitHop {
  std::int32_t link = 0;
  std::int32_t vc_begin = 0, vc_end = 0;
};

/// What the cycle form of a fabric adds to its FabricParams.
struct FlitFabricParams {
  Bytes flit{64};                  ///< width of a flit on every link
  std::int64_t vcs = 32;           ///< kVcsPerQueue for each link that flits may go on over, and
                                   ///< class of routes, make virtual output queues
  std::int64_t vc_buffer = 0;      ///< flits per virtual channel; 0: the link's buffer, shared out
  std::int64_t packet_flits = 16;  ///< messages are cut into packets of at most this
};

struct FlitStats {
  std::int64_t flits_sent = 0, flits_received = 0;
  std::int64_t hops = 0;           ///< flits x links
  std::int64_t active_cycles = 0;  ///< cycles in which anything could happen
};

}  // namespace reticle
