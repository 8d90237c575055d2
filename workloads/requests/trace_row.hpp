// SPDX-License-Identifier: Apache-2.0
// What the readers share: tokens and times of a row, and the trace they go into.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/units.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/text/fields.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

/// Readers of one field each; they throw ConfigError at the field.
std::int64_t read_tokens(const LineSource& lines, const Field& field);
Picoseconds read_seconds(const LineSource& lines, const Field& field);
Picoseconds read_milliseconds(const LineSource& lines, const Field& field);

/// Collects the requests of a file, at most `limit` of them.
class TraceBuilder {
 public:
  TraceBuilder(Trace& trace, std::optional<std::int64_t> limit) : trace_{trace}, limit_{limit} {}

  [[nodiscard]] bool full() const;
  /// Rows without input or output are counted, not kept: nothing was served for them.
  void add(Request request);
  void set_block_tokens(std::int64_t tokens) { trace_.block_tokens = tokens; }

  /// Sorts by arrival (ties keep file order), numbers the requests and lets time start at 0 or
  /// later: in a file that is slightly out of order a row may precede the first one.
  void finish();

 private:
  Trace& trace_;
  std::optional<std::int64_t> limit_;
};

}  // namespace reticle
