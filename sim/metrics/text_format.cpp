// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace reticle {

namespace {
struct Prefix {
  double factor;
  std::string_view name;
};
/// Prefixes of SI units, down to a femto.
constexpr std::array<Prefix, 11> kPrefixes{{{1e18, "E"},
                                            {1e15, "P"},
                                            {1e12, "T"},
                                            {1e9, "G"},
                                            {1e6, "M"},
                                            {1e3, "k"},
                                            {1, ""},
                                            {1e-3, "m"},
                                            {1e-6, "u"},
                                            {1e-9, "n"},
                                            {1e-12, "p"}}};
constexpr Prefix kNoPrefix{1, ""};

/// Rounding to `digits` must not lift a number over the next prefix: 999.96 is 1.000 k.
double rounded(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10.0, digits - 1 - std::floor(std::log10(std::abs(value))));
  return std::isfinite(scale) ? std::round(value * scale) / scale : value;
}

void group_thousands(std::string& digits) {
  const std::size_t first = digits.find_first_of("0123456789");
  const std::size_t point = std::min(digits.find('.'), digits.size());
  // thousands, in groups of three
  for (std::size_t i = point; i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
}
}  // namespace

int decimals_for(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const auto magnitude = static_cast<int>(std::floor(std::log10(std::abs(rounded(value, digits)))));
  return std::max(0, digits - 1 - magnitude);
}

ScaledUnit scaled_unit(double value, std::string_view base) {
  const double size = std::abs(rounded(value, 4));  // digits, as it is printed
  const auto fits = [&](const Prefix& prefix) { return size >= prefix.factor * (1 - 1e-9); };
  const auto found = std::ranges::find_if(kPrefixes, fits);
  const Prefix prefix =
      size == 0 ? kNoPrefix : (found == kPrefixes.end() ? kPrefixes.back() : *found);
  return {prefix.factor, std::string{prefix.name}.append(base)};
}

std::string number_text(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, decimals_for(value, digits));
  group_thousands(text);
  return text;
}

std::string count_text(std::int64_t value) {
  std::string text = std::to_string(value);
  group_thousands(text);
  return text;
}

std::string with_unit(double value, std::string_view base, int digits) {
  const ScaledUnit unit = scaled_unit(value, base);
  return number_text(value / unit.factor, digits) + " " + unit.name;
}

std::string money_text(double usd) {
  if (usd >= 1000) return "$" + number_text(std::round(usd), 4);
  return "$" + number_text(usd, 3);
}

std::string percent_text(double fraction) { return fmt::format("{:.1f} %", fraction * 100); }

std::string time_text(Picoseconds time) { return with_unit(seconds(time), "s"); }

std::string decimal_text(std::int64_t units, int decimals) {
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  std::string text = std::to_string(units / scale);
  group_thousands(text);
  if (decimals > 0) text += fmt::format(".{:0{}}", units % scale, decimals);
  return text;
}

}  // namespace reticle
