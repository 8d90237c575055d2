// SPDX-License-Identifier: Apache-2.0
#include "sim/config/expression.hpp"

#include <doctest/doctest.h>

#include <map>

#include "sim/base/error.hpp"

using namespace reticle;

namespace {
std::optional<ExpressionValue> lookup(const std::string& name) {
  const std::map<std::string, ExpressionValue> values{{"a", 2.0},
                                                      {"b.c", 5.0},
                                                      {"platform", std::string{"h100-8"}},
                                                      {"size", value_of_text("1.6 GB")}};
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional{found->second};
}
std::optional<double> number(const char* text) {
  const auto parsed = Expression::parse(text);
  REQUIRE_MESSAGE(parsed.value.has_value(), parsed.problem);
  return parsed.value->number(lookup);
}
}  // namespace

TEST_CASE("expression: it binds as arithmetic does") {
  CHECK(number("1 + 2 * 3 - 4 / 2") == 5);
  CHECK(number("(1 + 2) * 3") == 9);
  CHECK(number("10 - 3 - 2") == 5);
  CHECK(number("-a * -a") == 4);
  CHECK(number("1.5e1 + 2e-1") == 15.2);
  CHECK(number("min(a, b.c) + max(a, b.c)") == 7);
  CHECK(number("a + 1 <= b.c and b.c != 6 or 1 / 0 > 2") == 1);
  CHECK(number("not a > 3") == 1);
}

TEST_CASE("expression: units are base units, and names with dots are names") {
  CHECK(number("size / 1 GB") == 1.6);
  CHECK(number("2 us") == 2e-6);
  CHECK(number("1 TB/s / 1 GB/s") == 1000);
  CHECK(number("1 KiB") == 1024);
  const auto parsed = Expression::parse("a + platform.die.count + a");
  CHECK(parsed.value->names() == std::vector<std::string>{"a", "platform.die.count"});
}

TEST_CASE("expression: words are compared and nothing else") {
  CHECK(number("platform == 'h100-8'") == 1);
  CHECK(number("platform != \"h100-8\"") == 0);
  CHECK_THROWS_AS((void)number("platform + 1"), ConfigError);
  CHECK_THROWS_AS((void)number("platform"), ConfigError);
}

TEST_CASE("expression: what has no value makes none, unless it is decided without") {
  CHECK(!number("a + missing"));
  CHECK(number("a > 3 and missing > 1") == 0);
  CHECK(number("a < 3 or missing > 1") == 1);
  CHECK(!number("1 / 0"));
}

TEST_CASE("expression: what cannot be read is refused with a reason") {
  for (const char* text :
       {"", "1 +", "(1", "1 2", "a b", "'open", "1 ++", ")", "min(1)", "$", "1..2", "a <= b <= c"})
    CHECK_MESSAGE(!Expression::parse(text).problem.empty(), text);
  CHECK(!Expression::parse(std::string(5000, '(')).value);
  CHECK(!Expression::parse(std::string(5000, '-') + "1").value);
  std::string sum = "1";
  for (int i = 0; i < 1000; ++i) sum += "+1";
  CHECK(!Expression::parse(sum).value);
}
