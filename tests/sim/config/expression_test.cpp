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

namespace {
/// `figure` in ms, `room` in B, `rate` in B/s, `count` and `share` bare, `word` a word, else
/// unknown.
NumberUnit unit_of_name(const std::string& name) {
  using Kind = NumberUnit::Kind;
  if (name == "figure") return {.kind = Kind::Figure, .unit = "ms"};
  if (name == "room") return {.kind = Kind::Figure, .unit = "B"};
  if (name == "rate") return {.kind = Kind::Figure, .unit = "B/s"};
  if (name == "count") return {.kind = Kind::Plain, .only_plain = true};
  if (name == "word") return {.kind = Kind::Word};
  return {};
}
std::optional<double> settled(const char* text) {
  auto parsed = Expression::parse(text);
  REQUIRE_MESSAGE(parsed.value.has_value(), parsed.problem);
  const std::string problem = parsed.value->settle_units(unit_of_name);
  REQUIRE_MESSAGE(problem.empty(), problem);
  return parsed.value->number([](const std::string& name) -> std::optional<ExpressionValue> {
    if (name == "figure") return 40.0;  // 40 ms
    return lookup(name);
  });
}
}  // namespace

TEST_CASE("expression: a time with its unit meets a figure in ms as what it is") {
  CHECK(settled("figure <= 50 ms") == 1);
  CHECK(settled("figure <= 30 ms") == 0);
  CHECK(settled("figure < 0.05 s") == 1);
  CHECK(settled("30 ms < figure") == 1);
  CHECK(settled("figure <= 2 * (10 ms + 5 ms)") == 0);
  CHECK(settled("figure + 20 ms") == 60);
  CHECK(settled("max(figure, 0.1 s)") == 100);
  CHECK(settled("figure / 10 ms") == 4);
  CHECK(settled("-figure < -30 ms") == 1);
  // a bare number is in the figure's own unit
  CHECK(settled("figure <= 50") == 1);
  CHECK(settled("50 ms >= figure + 5") == 1);
  CHECK(settled("50 ms >= figure + 15") == 0);
}

TEST_CASE("expression: what counts different things is not compared, and words are no numbers") {
  const auto problem = [](const char* text) {
    auto parsed = Expression::parse(text);
    REQUIRE(parsed.value.has_value());
    return parsed.value->settle_units(unit_of_name);
  };
  CHECK(problem("figure < 5 GB") == "compares ms with B");
  CHECK(problem("room < 5 ms") == "compares B with s");
  CHECK(problem("room + rate > 1") == "adds B with B/s");
  CHECK(problem("count > 1 GB") == "compares a number without a unit with B");
  CHECK(problem("word == 3") == "compares a word with a number without a unit");
  CHECK(problem("word <= 4") == "takes a word for a number");
  CHECK(problem("word + 1 > 2") == "takes a word for a number");
  // ms times bytes per second is neither bytes nor their thousandth by itself
  CHECK(!problem("figure * rate < 5 GB").empty());
  for (const char* fine : {"word == 'a'", "word != 'a' and figure < 1", "unknown < 5 GB",
                           "room <= 5 GB", "room / rate < 3", "1000 * figure",
                           "count * room < 1 TB", "figure / count <= 5 ms", "50 * (word == 'a')"})
    CHECK_MESSAGE(problem(fine).empty(), fine);
}
