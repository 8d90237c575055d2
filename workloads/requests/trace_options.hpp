// SPDX-License-Identifier: Apache-2.0
// Which part of a trace is used, and how. Applied in the order of the members.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/units.hpp"

namespace reticle {

struct TraceOptions {
  bool skip_bad_rows = false;           ///< leave malformed rows out and count them
  Picoseconds from{0};                  ///< requests that arrive earlier are left out; time
  std::optional<Picoseconds> to{};      ///< then counts from there. Those at `to` or later, too
  double sample = 1.0;                  ///< share of requests kept, by session where there is one
  std::uint64_t seed = 0;               ///< of that choice
  std::int64_t skip = 0;                ///< so many of those left are left out; time then counts
                                        ///< from the first one kept
  std::optional<std::int64_t> limit{};  ///< at most so many are kept
  std::optional<std::int64_t> max_input{};   ///< longer prompts are cut, their blocks with them
  std::optional<std::int64_t> max_output{};  ///< longer answers are cut
  double rate_scale = 1.0;                   ///< arrivals so many times faster; pauses stay
};

}  // namespace reticle
