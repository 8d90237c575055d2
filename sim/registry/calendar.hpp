// SPDX-License-Identifier: Apache-2.0
// Dates of the registry: days of the proleptic Gregorian calendar, written 2026-04-22.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reticle {

struct Date {
  int year = 1970, month = 1, day = 1;  ///< where days are counted from
  auto operator<=>(const Date&) const = default;
};

/// Absent unless it is a day of the calendar, in ten characters.
std::optional<Date> parse_date(std::string_view text);
std::string to_string(const Date& date);
std::int64_t days_from(const Date& from, const Date& to);
Date plus_days(const Date& date, std::int64_t days);

}  // namespace reticle
