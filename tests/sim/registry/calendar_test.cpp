// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/calendar.hpp"

#include <doctest/doctest.h>

using namespace reticle;

TEST_CASE("calendar: what is no day of the calendar is no date") {
  for (const auto* text : {"2026-02-29", "1900-02-29", "2026-00-10", "2026-13-01", "2026-04-31",
                           "2026-4-22", "2026-04-22 ", "22.04.2026", "", "0000-01-01"})
    CHECK_FALSE_MESSAGE(parse_date(text), text);
  CHECK(parse_date("2024-02-29"));
  CHECK(parse_date("2000-02-29"));
}

TEST_CASE("calendar: four centuries have 146097 days, and a day follows another") {
  CHECK(days_from({2000, 1, 1}, {2400, 1, 1}) == 146'097);
  CHECK(days_from({2026, 4, 22}, {2026, 7, 21}) == 90);
  CHECK(days_from({2026, 7, 21}, {2026, 4, 22}) == -90);
  Date day{1999, 12, 1};
  for (int i = 0; i < 2000; ++i) {
    const Date next = plus_days(day, 1);
    CHECK(day < next);
    CHECK(days_from(day, next) == 1);
    CHECK(*parse_date(to_string(next)) == next);
    day = next;
  }
}
