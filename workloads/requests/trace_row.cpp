// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_row.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace reticle {

namespace {

constexpr std::int64_t kMaxTokens = 1'000'000'000;

Picoseconds read_time(const LineSource& lines, const Field& field, int exponent,
                      std::string_view expected) {
  if (const auto ps = scaled_decimal(field.text, exponent)) return Picoseconds{*ps};
  lines.fail(field.offset, field.key, std::string{expected} + ", found " + quoted(field.text));
}

}  // namespace

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
