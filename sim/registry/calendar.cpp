// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace reticle {

namespace {
/// The Gregorian calendar: 365 days and a quarter, but for centuries that 400 does not divide.
bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in(int year, int month) {
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};  // by month
  return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
}

/// Days before the first of January of `year`, from that of year 1.
std::int64_t days_before(int year) {
  const std::int64_t past = year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400;  // Gregorian leap years
}

std::int64_t day_number(const Date& date) {
  std::int64_t days = days_before(date.year) + date.day - 1;
  for (int month = 1; month < date.month; ++month) days += days_in(date.year, month);
  return days;
}
}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  const bool shaped = std::ranges::equal(text, kShape, [](unsigned char have, char want) {
    return want == 'd' ? std::isdigit(have) != 0 : have == static_cast<unsigned char>(want);
  });
  if (!shaped) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t digits) {
    return std::stoi(std::string{text.substr(at, digits)});
  };
  const Date date{number(0, 4), number(5, 2), number(8, 2)};  // YYYY-MM-DD: place, digits
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||  // months of a year
      date.day > days_in(date.year, date.month))
    return std::nullopt;
  return date;
}

std::string to_string(const Date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::int64_t days_from(const Date& from, const Date& to) {
  return day_number(to) - day_number(from);
}

Date plus_days(const Date& date, std::int64_t days) {
  const std::int64_t wanted = day_number(date) + days;
  Date out{date.year, 1, 1};
  while (days_before(out.year + 1) <= wanted) ++out.year;
  while (days_before(out.year) > wanted) --out.year;
  std::int64_t left = wanted - days_before(out.year);
  for (; left >= days_in(out.year, out.month); ++out.month) left -= days_in(out.year, out.month);
  out.day = static_cast<int>(left) + 1;
  return out;
}

}  // namespace reticle
