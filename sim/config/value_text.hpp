// SPDX-License-Identifier: Apache-2.0
// Values as text and back: "1.6 GB", "14.2 ns", "3.35 TB/s", "4 cycles", "bf16". Exact: decimals
// are read as whole-number fractions, never through floating point, and what does not come out
// whole or does not fit 64 bits is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/config/key_record.hpp"

namespace reticle {

/// What came of reading a text.
template <class T>
struct Parsed {
  std::optional<T> value;
  std::string problem;  ///< says more than "not of this kind"; empty otherwise
};

/// Per type: parse(text), format(value) in a short exact form, expected() for messages.
template <class T>
struct ValueText;

/// Bit rate of one DRAM pin; configurations name it, models do not.
using BitsPerSecond = Quantity<struct BitsPerSecondTag>;

/// A DRAM timing: absolute, or counted in beats of the data rate.
struct BeatTime {
  Picoseconds time{};
  std::int64_t beats = 0;  ///< counted when > 0
};

/// `time`, or `beats` at `data_rate` rounded to the nearest picosecond.
Picoseconds time_at(const BeatTime& timing, BitsPerSecond data_rate);

struct UnitFactor {
  std::string_view name;
  std::int64_t factor = 1;
};

/// How one kind of quantity is written. Without a unit only when `bare`.
struct QuantityText {
  std::string_view expected;
  std::string_view base;  ///< the unit counted in
  std::span<const UnitFactor> units;
  bool bare = false;
};

ValueShape shape_of(const QuantityText& kind);

Parsed<std::int64_t> parse_quantity(std::string_view text, const QuantityText& kind);
std::string format_quantity(std::int64_t count, const QuantityText& kind);

template <class Q>
const QuantityText& quantity_text();
template <>
const QuantityText& quantity_text<Picoseconds>();
template <>
const QuantityText& quantity_text<Bytes>();
template <>
const QuantityText& quantity_text<Cycles>();
template <>
const QuantityText& quantity_text<Hertz>();
template <>
const QuantityText& quantity_text<BytesPerSecond>();
template <>
const QuantityText& quantity_text<BitsPerSecond>();

template <class Tag>
struct ValueText<Quantity<Tag>> {
  using Q = Quantity<Tag>;
  static Parsed<Q> parse(std::string_view text) {
    const auto count = parse_quantity(text, quantity_text<Q>());
    if (!count.value) return {std::nullopt, count.problem};
    return {Q{*count.value}, {}};
  }
  static std::string format(Q value) { return format_quantity(value.count(), quantity_text<Q>()); }
  static std::string expected() { return std::string{quantity_text<Q>().expected}; }
  static ValueShape shape() { return shape_of(quantity_text<Q>()); }
};

template <>
struct ValueText<std::int64_t> {
  static Parsed<std::int64_t> parse(std::string_view text);
  static std::string format(std::int64_t value) { return std::to_string(value); }
  static std::string expected() { return "a whole number"; }
  static ValueShape shape() { return {ValueShape::Kind::Integer, expected()}; }
};

template <>
struct ValueText<std::uint64_t> {
  static Parsed<std::uint64_t> parse(std::string_view text);
  static std::string format(std::uint64_t value) { return std::to_string(value); }
  static std::string expected() { return "a whole number from 0 to 18446744073709551615"; }
  static ValueShape shape() {
    return {.kind = ValueShape::Kind::Integer, .expected = expected(), .natural = true};
  }
};

template <>
struct ValueText<double> {
  static Parsed<double> parse(std::string_view text);
  static std::string format(double value);  ///< shortest text that reads back the same
  static std::string expected() { return "a number"; }
  static ValueShape shape() { return {ValueShape::Kind::Number, expected()}; }
};

template <>
struct ValueText<bool> {
  static Parsed<bool> parse(std::string_view text);
  static std::string format(bool value) { return value ? "true" : "false"; }
  static std::string expected() { return "true or false"; }
  static ValueShape shape() {
    return {ValueShape::Kind::Truth, expected(), {"true", "on", "yes", "false", "off", "no"}};
  }
};

template <>
struct ValueText<std::string> {
  static Parsed<std::string> parse(std::string_view text) { return {std::string{text}, {}}; }
  static std::string format(const std::string& value) { return value; }
  static std::string expected() { return "a text"; }
  static ValueShape shape() { return {ValueShape::Kind::Text, expected()}; }
};

template <>
struct ValueText<BeatTime> {
  static Parsed<BeatTime> parse(std::string_view text);
  static std::string format(const BeatTime& value);
  static std::string expected() { return "a time such as '14.2 ns' or '8 beats'"; }
  static ValueShape shape() {
    ValueShape times = shape_of(quantity_text<Picoseconds>());
    times.expected = expected();
    times.units.emplace_back("beats");
    return times;
  }
};

template <class E>
struct EnumName {
  std::string_view name;
  E value;
};

/// One table per enum: a specialisation `static constexpr std::array<EnumName<E>, n> names`.
template <class E>
struct EnumTable;

/// "one of a, b, c"
std::string one_of(std::span<const std::string> names);

template <class E>
requires std::is_enum_v<E>
struct ValueText<E> {
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& row : EnumTable<E>::names) all.emplace_back(row.name);
    return all;
  }
  static Parsed<E> parse(std::string_view text) {
    for (const auto& row : EnumTable<E>::names)
      if (row.name == text) return {row.value, {}};
    return {};
  }
  static std::string format(E value) {
    for (const auto& row : EnumTable<E>::names)
      if (row.value == value) return std::string{row.name};
    return {};
  }
  static std::string expected() { return one_of(names()); }
  static ValueShape shape() { return {ValueShape::Kind::Word, expected(), names()}; }
};

}  // namespace reticle
