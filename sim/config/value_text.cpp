// SPDX-License-Identifier: Apache-2.0
#include "sim/config/value_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace reticle {

namespace {
using Wide = __int128;

constexpr Wide kMaxCount = std::numeric_limits<std::int64_t>::max();
// A mantissa of 19 digits times the largest unit factor (10^15) still fits 128 bits.
constexpr Wide kMantissaLimit = 1'000'000'000'000'000'000;

/// A decimal number as written: mantissa x 10^exponent.
struct Decimal {
  Wide mantissa = 0;
  int exponent = 0;
  bool negative = false;
  bool too_long = false;  ///< more digits than we count exactly
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Takes digits from the front of `text` into `number`; returns how many there were.
int take_digits(std::string_view& text, Decimal& number) {
  int taken = 0;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), ++taken) {
    if (number.mantissa >= kMantissaLimit) number.too_long = true;
    if (!number.too_long) number.mantissa = number.mantissa * 10 + (text.front() - '0');
  }
  return taken;
}

/// Takes "e3", "E-12" from the front; leaves a text alone that does not continue so.
void take_exponent(std::string_view& text, Decimal& number) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return;
  const bool sign = text[1] == '-' || text[1] == '+';
  std::string_view digits = text.substr(sign ? 2 : 1);
  if (digits.empty() || !is_digit(digits.front())) return;
  Decimal exponent;
  take_digits(digits, exponent);
  const int size =
      exponent.too_long || exponent.mantissa > 1000 ? 1000 : static_cast<int>(exponent.mantissa);
  number.exponent += text[1] == '-' ? -size : size;
  text = digits;
}

/// Takes a number from the front of `text`, leaving the unit.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int digits = take_digits(text, number);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const int fraction = take_digits(text, number);
    number.exponent -= fraction;
    digits += fraction;
  }
  if (digits == 0) return std::nullopt;
  take_exponent(text, number);
  return number;
}

constexpr std::string_view kOutOfRange = "out of the range of 64-bit numbers";

/// number x factor as a whole number, or why it is none.
Parsed<std::int64_t> scaled(const Decimal& number, std::int64_t factor, std::string_view base) {
  if (number.too_long) return {std::nullopt, std::string{kOutOfRange}};
  Wide count = number.mantissa * factor;
  for (int e = number.exponent; e > 0 && count != 0; --e) {
    if (count > kMaxCount) return {std::nullopt, std::string{kOutOfRange}};
    count *= 10;
  }
  for (int e = number.exponent; e < 0 && count != 0; ++e) {
    if (count % 10 != 0)
      return {std::nullopt, "must be a whole number" +
                                (base.empty() ? std::string{} : " of " + std::string{base})};
    count /= 10;
  }
  if (count > kMaxCount) return {std::nullopt, std::string{kOutOfRange}};
  const auto whole = static_cast<std::int64_t>(count);
  return {number.negative ? -whole : whole, {}};
}

/// count / factor as a decimal, when at most six places suffice.
std::optional<std::string> exact_decimal(std::int64_t count, std::int64_t factor) {
  std::string text = std::to_string(count / factor);
  Wide rest = count % factor;
  if (rest != 0) text += '.';
  for (int place = 0; rest != 0; ++place) {
    if (place == 6) return std::nullopt;  // micro is the last prefix
    rest *= 10;
    text += static_cast<char>('0' + static_cast<int>(rest / factor));
    rest %= factor;
  }
  return text;
}

constexpr std::int64_t kKibi = 1024;
constexpr std::int64_t kKilo = 1000;
constexpr std::int64_t kMega = kKilo * kKilo;
constexpr std::int64_t kGiga = kKilo * kMega;
constexpr std::int64_t kTera = kKilo * kGiga;
constexpr std::int64_t kPeta = kKilo * kTera;

// Smallest first; the largest that keeps the number short and at least 1 is written.
constexpr UnitFactor kTimes[] = {
    {"ps", 1}, {"ns", kKilo}, {"us", kMega}, {"ms", kGiga}, {"s", kTera}};
constexpr UnitFactor kSizes[] = {{"B", 1},
                                 {"kB", kKilo},
                                 {"KiB", kKibi},
                                 {"MB", kMega},
                                 {"MiB", kKibi* kKibi},
                                 {"GB", kGiga},
                                 {"GiB", kKibi* kKibi* kKibi},
                                 {"TB", kTera},
                                 {"TiB", kKibi* kKibi* kKibi* kKibi},
                                 {"PB", kPeta}};
constexpr UnitFactor kCycles[] = {{"cycles", 1}, {"cycle", 1}};
constexpr UnitFactor kFrequencies[] = {{"Hz", 1}, {"kHz", kKilo}, {"MHz", kMega}, {"GHz", kGiga}};
constexpr UnitFactor kByteRates[] = {
    {"B/s", 1}, {"kB/s", kKilo}, {"MB/s", kMega}, {"GB/s", kGiga}, {"TB/s", kTera}};
constexpr UnitFactor kBitRates[] = {{"b/s", 1}, {"Mb/s", kMega}, {"Gb/s", kGiga}};
constexpr UnitFactor kBeats[] = {{"beats", 1}};

constexpr QuantityText kTimeText{"a time such as '14.2 ns'", "ps", kTimes};
constexpr QuantityText kSizeText{"a size such as '64 MiB' or '1.6 GB'", "B", kSizes};
constexpr QuantityText kCycleText{"a number of cycles such as '4 cycles'", "cycles", kCycles, true};
constexpr QuantityText kFrequencyText{"a frequency such as '1.2 GHz'", "Hz", kFrequencies};
constexpr QuantityText kByteRateText{"a rate such as '3.35 TB/s'", "B/s", kByteRates};
constexpr QuantityText kBitRateText{"a bit rate such as '6.4 Gb/s'", "b/s", kBitRates};
constexpr QuantityText kBeatText{"a number of beats", "beats", kBeats};
constexpr QuantityText kNumberText{"a whole number", "", {}, true};
}  // namespace

template <>
const QuantityText& quantity_text<Picoseconds>() {
  return kTimeText;
}
template <>
const QuantityText& quantity_text<Bytes>() {
  return kSizeText;
}
template <>
const QuantityText& quantity_text<Cycles>() {
  return kCycleText;
}
template <>
const QuantityText& quantity_text<Hertz>() {
  return kFrequencyText;
}
template <>
const QuantityText& quantity_text<BytesPerSecond>() {
  return kByteRateText;
}
template <>
const QuantityText& quantity_text<BitsPerSecond>() {
  return kBitRateText;
}

ValueShape shape_of(const QuantityText& kind) {
  ValueShape shape{.kind = ValueShape::Kind::Quantity,
                   .expected = std::string{kind.expected},
                   .bare = kind.bare};
  for (const UnitFactor& unit : kind.units) shape.units.emplace_back(unit.name);
  return shape;
}

Parsed<std::int64_t> parse_quantity(std::string_view text, const QuantityText& kind) {
  text = trim(text);
  const auto number = take_decimal(text);
  if (!number) return {};
  const std::string_view unit = trim(text);
  const bool below_zero = number->negative && number->mantissa != 0;
  if (unit.empty() && kind.bare) {
    // A number of things without a unit may be negative; a count of cycles may not.
    if (below_zero && !kind.units.empty()) return {std::nullopt, "must not be negative"};
    return scaled(*number, 1, kind.base);
  }
  for (const auto& known : kind.units) {
    if (known.name != unit) continue;
    if (below_zero) return {std::nullopt, "must not be negative"};
    return scaled(*number, known.factor, kind.base);
  }
  return {};
}

std::string format_quantity(std::int64_t count, const QuantityText& kind) {
  std::string best;
  for (const auto& unit : kind.units) {
    if (!best.empty() && (unit.factor == 1 || count < unit.factor)) continue;
    const auto number = exact_decimal(count, unit.factor);
    if (!number) continue;
    std::string text = *number + " " + std::string{unit.name};
    // One more character is a decimal point, and worth it: 5.234 Gb/s, not 5234 Mb/s.
    if (best.empty() || text.size() <= best.size() + 1) best = std::move(text);
  }
  return best;
}

Picoseconds time_at(const BeatTime& timing, BitsPerSecond data_rate) {
  if (timing.beats == 0) return timing.time;
  const Wide rate = data_rate.count();
  const Wide time = (static_cast<Wide>(timing.beats) * kPicosecondsPerSecond + rate / 2) / rate;
  return Picoseconds{static_cast<std::int64_t>(std::min(time, kMaxCount))};
}

Parsed<std::int64_t> ValueText<std::int64_t>::parse(std::string_view text) {
  return parse_quantity(text, kNumberText);
}

namespace {
/// Without the blanks around it and a plus before it, as YAML has numbers.
std::string_view bare_number(std::string_view text) {
  text = trim(text);
  if (text.size() > 1 && text.front() == '+' && (is_digit(text[1]) || text[1] == '.'))
    text.remove_prefix(1);
  return text;
}
}  // namespace

Parsed<std::uint64_t> ValueText<std::uint64_t>::parse(std::string_view text) {
  text = bare_number(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return {std::nullopt, std::string{kOutOfRange}};
  if (error == std::errc{} && end == text.data() + text.size()) return {value, {}};
  const auto other = parse_quantity(text, kNumberText);  // 1e3, 10.0
  if (!other.value) return {std::nullopt, other.problem};
  if (*other.value < 0) return {};
  return {static_cast<std::uint64_t>(*other.value), {}};
}

Parsed<double> ValueText<double>::parse(std::string_view text) {
  text = bare_number(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return {std::nullopt, "out of the range of numbers"};
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (!std::isfinite(value)) return {std::nullopt, "must be a finite number"};
  return {value, {}};
}

std::string ValueText<double>::format(double value) {
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e15);
  std::array<char, 32> text{};
  char* const end = text.data() + text.size();
  const auto written = plain ? std::to_chars(text.data(), end, value, std::chars_format::fixed)
                             : std::to_chars(text.data(), end, value);
  return {text.data(), written.ptr};
}

Parsed<bool> ValueText<bool>::parse(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, bool>, 6> kWords{{{"true", true},
                                                                     {"on", true},
                                                                     {"yes", true},
                                                                     {"false", false},
                                                                     {"off", false},
                                                                     {"no", false}}};
  for (const auto& [word, value] : kWords)
    if (word == text) return {value, {}};
  return {};
}

Parsed<BeatTime> ValueText<BeatTime>::parse(std::string_view text) {
  if (const auto beats = parse_quantity(text, kBeatText); beats.value)
    return {BeatTime{.time = {}, .beats = *beats.value}, {}};
  const auto time = ValueText<Picoseconds>::parse(text);
  if (!time.value) return {std::nullopt, time.problem};
  return {BeatTime{.time = *time.value, .beats = 0}, {}};
}

std::string ValueText<BeatTime>::format(const BeatTime& value) {
  return value.beats > 0 ? format_quantity(value.beats, kBeatText)
                         : ValueText<Picoseconds>::format(value.time);
}

std::string one_of(std::span<const std::string> names) {
  std::string text = "one of ";
  for (const auto& name : names) text += (&name == &names.front() ? "" : ", ") + name;
  return text;
}

}  // namespace reticle
