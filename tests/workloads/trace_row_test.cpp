// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_row.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace reticle;

TEST_CASE("scaled_decimal: moves the decimal point and rounds down") {
  CHECK(scaled_decimal("0", 12) == 0);
  CHECK(scaled_decimal("1", 12) == 1'000'000'000'000);
  CHECK(scaled_decimal("1.25", 2) == 125);
  CHECK(scaled_decimal("1.259", 2) == 125);
  CHECK(scaled_decimal("12.5", 0) == 12);
  CHECK(scaled_decimal("1.5e3", 0) == 1500);
  CHECK(scaled_decimal("1500E-3", 2) == 150);
  CHECK(scaled_decimal("1500e-9", 2) == 0);
  CHECK(scaled_decimal("0.000000000001", 12) == 1);
  CHECK(scaled_decimal("0e999", 12) == 0);
}

TEST_CASE("scaled_decimal: is exact to the last of 63 bits, and nothing beyond") {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(scaled_decimal("9223372.036854775807", 12) == kMax);
  CHECK_FALSE(scaled_decimal("9223372.036854775808", 12).has_value());
  CHECK_FALSE(scaled_decimal("1e999", 0).has_value());
  CHECK_FALSE(scaled_decimal("1e99999999999", 0).has_value());
  CHECK_FALSE(scaled_decimal(std::string(1000, '9'), 0).has_value());
}

TEST_CASE("scaled_decimal: what is no number of JSON is none here") {
  for (const char* text : {"", "-1", "+1", ".5", "5.", "1e", "e5", "1e+", "01", "1 ", " 1", "1,5",
                           "nan", "inf", "0x1", "1.2.3", "1e5.0", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(scaled_decimal(text, 12).has_value());
  }
}

TEST_CASE("whole_number: takes digits and nothing else") {
  CHECK(whole_number("0") == 0);
  CHECK(whole_number("1000000000") == 1'000'000'000);
  for (const char* text : {"", "1.0", "1e3", "-1", "007", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK_FALSE(whole_number(text).has_value());
  }
}

TEST_CASE("quoted: shows any bytes in one readable, short piece") {
  CHECK(quoted("plain") == "'plain'");
  CHECK(quoted(std::string("\x00\x7f\xff\n", 4)) == "'\\x00\\x7f\\xff\\x0a'");
  CHECK(quoted(std::string(1000, 'a')) == "'" + std::string(40, 'a') + "...'");
}
