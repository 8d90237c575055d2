// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_row.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace reticle {

namespace {

constexpr std::int64_t kMaxTokens = 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the digits that `text` starts with.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

/// A number as digits x 10^exponent.
struct Decimal {
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

std::optional<Decimal> split_decimal(std::string_view text) {
  Decimal number;
  number.whole = take_digits(text);
  if (number.whole.empty()) return std::nullopt;
  if (number.whole.size() > 1 && number.whole.front() == '0') return std::nullopt;
  if (take(text, '.')) {
    number.fraction = take_digits(text);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (take(text, 'e') || take(text, 'E')) {
    const bool negative = !take(text, '+') && take(text, '-');
    const std::string_view digits = take_digits(text);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number.exponent);
    // Beyond 999 every number that is not 0 over- or underflows anyway.
    if (error != std::errc{} || number.exponent > 999) return std::nullopt;
    if (negative) number.exponent = -number.exponent;
  }
  if (!text.empty()) return std::nullopt;
  return number;
}

Picoseconds read_time(const LineSource& lines, const Field& field, int exponent,
                      std::string_view expected) {
  if (const auto ps = scaled_decimal(field.text, exponent)) return Picoseconds{*ps};
  lines.fail(field.offset, field.key, std::string{expected} + ", found " + quoted(field.text));
}

}  // namespace

std::optional<std::int64_t> scaled_decimal(std::string_view text, int exponent) {
  const auto number = split_decimal(text);
  if (!number) return std::nullopt;
  // Digits left of the decimal point once it has moved; those right of it are rounded away.
  const std::int64_t kept =
      static_cast<std::int64_t>(number->whole.size()) + number->exponent + exponent;
  const auto digits = static_cast<std::int64_t>(number->whole.size() + number->fraction.size());
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    int digit = 0;
    if (i < digits) {
      const auto at = static_cast<std::size_t>(i);
      const std::size_t whole = number->whole.size();
      digit = (at < whole ? number->whole[at] : number->fraction[at - whole]) - '0';
    } else if (value == 0) {
      break;
    }
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  return scaled_decimal(text, 0);
}

std::int64_t read_tokens(const LineSource& lines, const Field& field) {
  const auto tokens = whole_number(field.text);
  if (tokens && *tokens <= kMaxTokens) return *tokens;
  lines.fail(field.offset, field.key,
             "expected a whole number of tokens from 0 to " + std::to_string(kMaxTokens) +
                 ", found " + quoted(field.text));
}

Picoseconds read_seconds(const LineSource& lines, const Field& field) {
  return read_time(lines, field, 12, "expected seconds from 0 to 9223372 (106 days)");
}

Picoseconds read_milliseconds(const LineSource& lines, const Field& field) {
  return read_time(lines, field, 9, "expected milliseconds from 0 to 9223372036 (106 days)");
}

bool TraceBuilder::full() const {
  return limit_ && static_cast<std::int64_t>(trace_.requests.size()) >= *limit_;
}

void TraceBuilder::add(Request request) {
  if (request.input_tokens == 0 || request.output_tokens == 0) {
    ++trace_.skipped;
  } else {
    trace_.requests.push_back(std::move(request));
  }
}

void TraceBuilder::finish() {
  auto& requests = trace_.requests;
  if (requests.empty())
    throw ConfigError{{trace_.path},
                      "requests",
                      "expected at least one, found none (rows without tokens: " +
                          std::to_string(trace_.skipped) + ")"};
  std::stable_sort(requests.begin(), requests.end(),
                   [](const Request& a, const Request& b) { return a.arrival < b.arrival; });
  const Picoseconds start = min(requests.front().arrival, Picoseconds{0});
  std::uint64_t id = 0;
  for (Request& request : requests) {
    request.arrival -= start;
    request.id = RequestId{id++};
  }
}

}  // namespace reticle
