// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_row.hpp"

#include <charconv>
#include <limits>
#include <string>

namespace reticle {

namespace {

constexpr std::int64_t kMaxTokens = 1'000'000'000;

Picoseconds read_time(const TextPlace& place, const Field& field, int exponent,
                      std::string_view expected) {
  if (const auto ps = scaled_decimal(field.text, exponent)) return Picoseconds{*ps};
  place.fail(field.offset, field.key, std::string{expected} + ", found " + quoted(field.text));
}

}  // namespace

std::int64_t read_tokens(const TextPlace& place, const Field& field) {
  const auto tokens = whole_number(field.text);
  if (tokens && *tokens <= kMaxTokens) return *tokens;
  place.fail(field.offset, field.key,
             "expected a whole number of tokens from 0 to " + std::to_string(kMaxTokens) +
                 ", found " + quoted(field.text));
}

Picoseconds read_seconds(const TextPlace& place, const Field& field) {
  return read_time(place, field, 12, "expected seconds from 0 to 9223372 (106 days)");
}

Picoseconds read_milliseconds(const TextPlace& place, const Field& field) {
  return read_time(place, field, 9, "expected milliseconds from 0 to 9223372036 (106 days)");
}

std::uint64_t read_whole(const TextPlace& place, const Field& field, std::uint64_t most) {
  std::uint64_t value = 0;
  const char* const end = field.text.data() + field.text.size();
  const auto [stop, error] = std::from_chars(field.text.data(), end, value);
  if (error == std::errc{} && stop == end && value <= most) return value;
  place.fail(field.offset, field.key,
             "expected a whole number from 0 to " + std::to_string(most) + ", found " +
                 quoted(field.text));
}

Picoseconds FirstRowClock::since_first(const TextPlace& place, const Field& field,
                                       std::int64_t ticks) {
  if (!first_) first_ = ticks;
  const std::int64_t farthest = std::numeric_limits<std::int64_t>::max() / 2 / tick_.count();
  const std::int64_t after = ticks - *first_;
  if (after > farthest || after < -farthest)
    place.fail(field.offset, field.key,
               "expected a time within 53 days of the first row, found " + quoted(field.text));
  return after * tick_;
}

}  // namespace reticle
