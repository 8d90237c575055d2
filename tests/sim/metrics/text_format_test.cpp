// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/text_format.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace reticle;

TEST_CASE("number_text: four significant digits, whole parts in full and grouped") {
  CHECK(number_text(0) == "0");
  CHECK(number_text(0.0123456) == "0.01235");
  CHECK(number_text(1.5) == "1.500");
  CHECK(number_text(999.96) == "1,000");
  CHECK(number_text(12345.6) == "12,346");
  CHECK(number_text(-1234567) == "-1,234,567");
  CHECK(number_text(100, 3) == "100");
}

TEST_CASE("with_unit: the prefix keeps the number between 1 and 1000") {
  CHECK(with_unit(0, "J") == "0 J");
  CHECK(with_unit(999.96, "W") == "1.000 kW");
  CHECK(with_unit(999.94, "W") == "999.9 W");
  CHECK(with_unit(1e-6, "s") == "1.000 us");
  CHECK(with_unit(72e9, "B") == "72.00 GB");
  CHECK(with_unit(3e-15, "J") == "0.003000 pJ");
  CHECK(with_unit(4.2e22, "J") == "42,000 EJ");
}

TEST_CASE("money_text: cents matter below a thousand dollars") {
  CHECK(money_text(616'000) == "$616,000");
  CHECK(money_text(0.123456) == "$0.123");
  CHECK(money_text(12.5) == "$12.5");
}

TEST_CASE("decimal_text: digits of a whole number, the point set in") {
  CHECK(decimal_text(1000, 1) == "100.0");
  CHECK(decimal_text(7, 3) == "0.007");
  CHECK(decimal_text(1234567, 2) == "12,345.67");
  CHECK(decimal_text(42, 0) == "42");
}

TEST_CASE("count_text and time_text") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(std::numeric_limits<std::int64_t>::max()) == "9,223,372,036,854,775,807");
  CHECK(time_text(Picoseconds{1'500'000}) == "1.500 us");
}
