// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the readers of single values: quantities, expressions, --set, dates,
// rows of traces.
// What is written of a value that was read is read as the same value.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/config/config_tree.hpp"
#include "sim/config/expression.hpp"
#include "sim/config/text_check.hpp"
#include "sim/config/value_text.hpp"
#include "sim/registry/calendar.hpp"
#include "sim/registry/entry_id.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/text/fields.hpp"

namespace reticle {

template <class T>
bool read_value(std::string_view text) {
  const Parsed<T> parsed = ValueText<T>::parse(text);
  if (!parsed.value) return false;
  const Parsed<T> again = ValueText<T>::parse(ValueText<T>::format(*parsed.value));
  invariant(again.value.has_value(), "what is written of a value is one");
  invariant(*again.value == *parsed.value, "and the same one");
  return true;
}

inline bool read_expression(std::string_view text) {
  const Parsed<Expression> parsed = Expression::parse(text);
  if (!parsed.value) return false;
  try {
    (void)parsed.value->number([](const std::string& name) -> std::optional<ExpressionValue> {
      if (name.size() == 1) return static_cast<double>(name.front());
      return name.size() == 2 ? std::optional<ExpressionValue>{name} : std::nullopt;
    });
  } catch (const ConfigError&) {
  }
  return true;
}

inline bool read_date(std::string_view text) {
  const auto date = parse_date(text);
  if (!date) return false;
  invariant(parse_date(to_string(*date)) == date, "a date is written as it is read");
  constexpr std::int64_t kTenYears = 3650;
  invariant(days_from(*date, plus_days(*date, kTenYears)) == kTenYears, "days are counted");
  return true;
}

inline bool read_beats(std::string_view text) {
  const auto beats = ValueText<BeatTime>::parse(text);
  return beats.value && !ValueText<BeatTime>::format(*beats.value).empty();
}

inline bool read_set(std::string_view text) {
  if (text.find('=') == std::string_view::npos) return false;  // refused: a test says so
  try {
    ConfigTree root = make_map({"fuzz", 1, 1});
    put(root, "platform", make_map({"fuzz", 1, 1}));
    apply_set(root, std::string{text});
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

/// A row of a trace, as three of the formats write it.
inline bool read_row(std::string_view text) {
  struct Place final : TextPlace {
    [[nodiscard]] SourcePosition position(std::size_t offset) const override {
      return {"fuzz", 1, static_cast<std::int64_t>(offset) + 1};
    }
  };
  static const Place place;
  static const std::array<std::unique_ptr<RowParser>, 3> parsers{
      make_mooncake(place), make_qwen(place), make_reticle(place)};
  bool taken = false;
  for (const auto& parser : parsers) try {
      Request request;
      parser->parse(text, request);
      taken = true;
    } catch (const ConfigError&) {
    }
  return taken;
}

/// One reader per kind of value, by a letter.
struct TextReader {
  char letter;
  bool (*read)(std::string_view text);
};
inline constexpr std::array kTextReaders{
    TextReader{'a', read_value<Picoseconds>},
    TextReader{'b', read_value<Bytes>},
    TextReader{'c', read_value<Cycles>},
    TextReader{'d', read_value<Hertz>},
    TextReader{'e', read_value<BytesPerSecond>},
    TextReader{'f', read_value<BitsPerSecond>},
    TextReader{'g', read_value<std::int64_t>},
    TextReader{'h', read_value<std::uint64_t>},
    TextReader{'i', read_value<double>},
    TextReader{'j', read_value<bool>},
    TextReader{'k', read_beats},
    TextReader{'l', read_expression},
    TextReader{'m', [](std::string_view t) { return scaled_decimal(t, 12).has_value(); }},
    TextReader{'n', [](std::string_view t) { return whole_number(t).has_value(); }},
    TextReader{'o', [](std::string_view t) { return id_number(t).has_value(); }},
    TextReader{'p', read_date},
    TextReader{'q', read_set},
    TextReader{'r', read_row},
    TextReader{
        's',
        [](std::string_view t) { return !value_of_text(std::string{t}).valueless_by_exception(); }},
    TextReader{'t', [](std::string_view t) { return !text_problem(t); }},
};

/// The first letter picks the reader, the rest is its text. Answers whether it was taken; anything
/// but a ConfigError escapes.
inline bool read_any_text(std::string_view text) {
  if (text.empty()) return false;
  const auto pick = static_cast<unsigned char>(text.front());
  const std::size_t which = pick >= 'a' ? pick - 'a' : pick;
  return kTextReaders[which % kTextReaders.size()].read(text.substr(1));
}

}  // namespace reticle
