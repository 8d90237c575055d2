// SPDX-License-Identifier: Apache-2.0
// One value of a line, and the numbers such values are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

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

}  // namespace reticle
