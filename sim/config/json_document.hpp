// SPDX-License-Identifier: Apache-2.0
// JSON that stands in a file: parsed, or refused with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"

namespace reticle {

/// Where the bracket stands that nests deeper than `most` others; nothing when none does. What we
/// write nests below 16; the library's own functions recurse, and a stack is finite.
inline std::optional<std::size_t> too_deep(std::string_view json, std::size_t most) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      for (++i; i < json.size() && json[i] != '"'; ++i)
        if (json[i] == '\\') ++i;
    } else if (c == '{' || c == '[') {
      if (++depth > most) return i;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return std::nullopt;
}

/// Line and column, from 1, of a byte of `text`; at its end when beyond.
inline SourcePosition position_in(const std::string& label, std::string_view text,
                                  std::size_t byte) {
  SourcePosition at{label, 1, 1};
  for (const char c : text.substr(0, byte)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n' ? 1 : 0;
  }
  return at;
}

/// Parses a whole document; `label` stands for its file. Throws ConfigError at file:line:col.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, const std::string& label) {
  constexpr std::size_t kDeepest = 64;  // as of YAML, kMaxDepth
  if (const auto at = too_deep(text, kDeepest))
    throw ConfigError(position_in(label, text, *at), "",
                      "expected at most " + std::to_string(kDeepest) + " brackets in another");
  // The library takes a NUL for the end, and would say nothing of what follows it.
  if (const auto nul = text.find('\0'); nul != text.npos)
    throw ConfigError(position_in(label, text, nul), "", "not valid JSON");
  try {
    return Json::parse(text);
  } catch (const typename Json::parse_error& error) {
    // Counted from 1, of the byte after the one that is wrong.
    const std::size_t byte = error.byte > 0 ? error.byte - 1 : 0;
    throw ConfigError(position_in(label, text, byte), "", "not valid JSON");
  } catch (const typename Json::exception&) {
    throw ConfigError({label, 0, 0}, "", "expected numbers that 64 bits hold");
  }
}

/// A whole number that 64 bits hold; nothing for anything else.
template <class Json>
std::optional<std::int64_t> whole_number_of(const Json& value) {
  const bool fits = value.is_number_unsigned()
                        ? value.template get<std::uint64_t>() <= std::uint64_t{INT64_MAX}
                        : value.is_number_integer();
  return fits ? std::optional{value.template get<std::int64_t>()} : std::nullopt;
}

}  // namespace reticle
