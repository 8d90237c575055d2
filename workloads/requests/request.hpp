// SPDX-License-Identifier: Apache-2.0
// What is asked of the machine: requests with an arrival time and lengths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"

namespace reticle {

inline constexpr double kLongestTraceSeconds = 9.2e6;  ///< 106 days, what Picoseconds hold

struct Request {
  RequestId id{};
  Picoseconds arrival{};           ///< from the start of the trace
  std::int64_t input_tokens = 0;   ///< prompt, >= 1
  std::int64_t output_tokens = 0;  ///< to generate, >= 1
  /// Prefix blocks (equal id <=> equal prefix up to and including the block); empty = unknown.
  std::vector<std::uint64_t> prefix_blocks{};
  std::optional<std::uint64_t> session{};  ///< requests of one conversation or agent share it
  std::int64_t turn = 0;                   ///< number of the request in its session, from 0
  std::int32_t depth = 0;                  ///< 0 = the session's own, 1 = a sub-agent of it, ...
  std::int64_t thinking_tokens = 0;        ///< part of output_tokens that the user does not see
  std::optional<std::uint32_t> adapter{};  ///< low-rank adapter (LoRA) it asks for
  std::int64_t priority = 0;               ///< class: lower ones are served first
  /// From the former answer of the session to this request: tool or user at work.
  std::optional<Picoseconds> pause{};

  bool operator==(const Request&) const = default;
};

/// A request trace, sorted by arrival (ties keep file order; ids count from 0 in that order).
struct Trace {
  std::string path;
  std::string format;
  std::uint64_t digest = 0;       ///< FNV-1a over the file's bytes
  std::int64_t block_tokens = 0;  ///< tokens per prefix block; 0 = the format has none
  std::int64_t skipped = 0;       ///< rows the format declares as not served (0 tokens)
  std::int64_t bad_rows = 0;      ///< malformed rows left out, where that was asked for
  std::vector<Request> requests;
};

}  // namespace reticle
