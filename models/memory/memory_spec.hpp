// SPDX-License-Identifier: Apache-2.0
// What a memory is asked for, and what it counts. Plain data, shared by every kind of memory.
#pragma once

#include <cstdint>

#include "sim/base/units.hpp"

namespace reticle {

enum class Access : std::uint8_t { Read, Write };

/// The requesters of a die's memories.
enum class Requester : std::uint8_t { Weights, Kv, Writer };

/// One transaction: `bytes` starting at `address`, made of contiguous pieces of `piece` bytes.
/// A weight tile is one piece; a paged KV read is many pieces scattered over the memory.
struct MemoryRun {
  Access kind = Access::Read;
  Bytes address{};
  Bytes bytes{};
  Bytes piece{};  ///< 0 = contiguous
  /// Who asks: a memory with a port per requester arbitrates between them (a Requester, or the
  /// test's own numbers).
  std::uint8_t requester = 0;
  /// A write whose requester goes on when the memory's queue has taken it: `done` is then.
  bool posted = false;
};

/// Times are absolute. Latency is measured at the requester's port.
struct AccessTiming {
  Picoseconds accepted{};    ///< the controller's queue took the transaction
  Picoseconds started{};     ///< the memory began to work on it
  Picoseconds first_data{};  ///< the first burst is at (from) the requester
  Picoseconds done{};        ///< the last burst is
};

/// Counts every memory keeps; never energies (sim/accounts prices them).
struct MemoryStats {
  std::int64_t transactions = 0;
  Bytes read{};
  Bytes written{};
  std::int64_t read_bursts = 0;  ///< whole bursts on a DRAM's data bus; 0 for other memories
  std::int64_t written_bursts = 0;
  std::int64_t activates = 0;       ///< DRAM rows opened; 0 for SRAM
  std::int64_t bank_active_ns = 0;  ///< banks with an open row x time
  std::int64_t row_hits = 0;        ///< runs whose first row was open
  std::int64_t refreshes = 0;       ///< all-bank refreshes up to the last data
  std::int64_t bank_refreshes = 0;  ///< per-bank refreshes up to the last data
  std::int64_t turnarounds = 0;     ///< read/write direction changes of the data bus
  Picoseconds busy{};               ///< data bus (or ports) occupied
  Picoseconds waited{};             ///< transactions waiting for an earlier one, summed
};

}  // namespace reticle
