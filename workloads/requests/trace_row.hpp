// SPDX-License-Identifier: Apache-2.0
// What the readers share: tokens and times of a row.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/units.hpp"
#include "workloads/text/fields.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

/// Readers of one field each; they throw ConfigError at the field.
std::int64_t read_tokens(const TextPlace& place, const Field& field);
Picoseconds read_seconds(const TextPlace& place, const Field& field);
Picoseconds read_milliseconds(const TextPlace& place, const Field& field);
/// A whole number from 0 to `most`.
std::uint64_t read_whole(const TextPlace& place, const Field& field, std::uint64_t most);

/// Times count from the first row where a format gives absolute ones: 53 days either side, for
/// rows before the first one move the origin.
class FirstRowClock {
 public:
  /// `ticks` of `tick` each.
  explicit FirstRowClock(Picoseconds tick) : tick_{tick} {}
  Picoseconds since_first(const TextPlace& place, const Field& field, std::int64_t ticks);

 private:
  Picoseconds tick_;
  std::optional<std::int64_t> first_;
};

}  // namespace reticle
