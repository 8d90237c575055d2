// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/fields.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace reticle {

namespace {

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

}  // namespace reticle
