// SPDX-License-Identifier: Apache-2.0
// Numbers for people: units, thousands separators, and as many digits as mean something.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/units.hpp"

namespace reticle {

/// A unit scaled so that the number before it has one to three digits before the point.
struct ScaledUnit {
  double factor = 1;  ///< of the base unit
  std::string name;
};
ScaledUnit scaled_unit(double value, std::string_view base);

/// `digits` significant digits (more when the whole part has more), "12,345" or "0.01234".
std::string number_text(double value, int digits = 4);
std::string count_text(std::int64_t value);
/// "1.234 kJ", "72.00 GB".
std::string with_unit(double value, std::string_view base, int digits = 4);
std::string money_text(double usd);
std::string percent_text(double fraction);
std::string time_text(Picoseconds time);
/// `units` of 10^-decimals: decimal_text(1234, 2) = "12.34".
std::string decimal_text(std::int64_t units, int decimals);

/// Decimal places that show `value` with `digits` significant digits.
int decimals_for(double value, int digits);

}  // namespace reticle
