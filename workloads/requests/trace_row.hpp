// SPDX-License-Identifier: Apache-2.0
// What the readers share: values of a row, and the trace they go into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/base/units.hpp"
#include "workloads/requests/line_source.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

/// One value of the current line, as written.
struct Field {
  std::string_view key;
  std::string_view text;
  std::size_t offset = 0;  ///< of the text in its line, from 0
};

/// The decimal number `text` (JSON grammar) times 10^exponent, rounded down to a whole number.
/// Exact: a double would lose picoseconds after 2.5 hours. Nothing if `text` is no number, is
/// negative, or leaves 63 bits.
std::optional<std::int64_t> scaled_decimal(std::string_view text, int exponent);

/// As scaled_decimal, for numbers that have to be whole. Nothing for 12.5.
std::optional<std::int64_t> whole_number(std::string_view text);

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
