// SPDX-License-Identifier: Apache-2.0
// AzureLLMInferenceTrace_*.csv: TIMESTAMP (UTC), ContextTokens (prompt), GeneratedTokens.
// [github.com/Azure/AzurePublicDataset; docs/workloads.md]
#include <array>
#include <chrono>
#include <limits>
#include <string>

#include "workloads/requests/trace_formats.hpp"

namespace reticle {

namespace {

constexpr std::array<std::string_view, 3> kColumns{"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
constexpr std::string_view kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";

using Row = std::array<Field, kColumns.size()>;

Row split_row(const LineSource& lines, std::string_view line) {
  Row row;
  std::size_t offset = 0;
  for (std::size_t column = 0; column < kColumns.size(); ++column) {
    if (offset > line.size())
      lines.fail(line.size(), kColumns[column], "expected a value, found the end of the line");
    const std::string_view text = line.substr(offset, line.find(',', offset) - offset);
    row[column] = {kColumns[column], text, offset};
    offset += text.size() + 1;
  }
  if (offset <= line.size())
    lines.fail(offset, "row", "expected 3 columns, found another " + quoted(line.substr(offset)));
  return row;
}

/// Reads fixed places of "2023-11-16 18:15:46.6805900".
class ClockText {
 public:
  explicit ClockText(std::string_view text) : text_{text} {}

  /// `width` digits that end before `after`, or nothing.
  std::optional<std::int64_t> number(std::size_t width, char after) {
    if (text_.size() < width || (after != '\0' && text_.substr(width, 1) != std::string{after}))
      return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text_.substr(0, width)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(width + (after == '\0' ? 0 : 1));
    return value;
  }
  /// What is left: "", ".6805900", and in the traces of 2024 "+00:00" behind it.
  std::optional<std::int64_t> fraction_ns() {
    if (text_.ends_with("+00:00")) text_.remove_suffix(6);
    if (text_.empty()) return 0;
    if (text_.size() < 2 || text_.size() > 10) return std::nullopt;
    return scaled_decimal(std::string{"0"}.append(text_), 9);
  }

 private:
  std::string_view text_;
};

/// Nanoseconds since 1970: 64 bits last until 2262, and hold the file's 100 ns digits.
std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  namespace chrono = std::chrono;
  ClockText clock{text};
  const auto year = clock.number(4, '-');
  const auto month = clock.number(2, '-');
  const auto day = clock.number(2, ' ');
  const auto hour = clock.number(2, ':');
  const auto minute = clock.number(2, ':');
  const auto second = clock.number(2, '\0');
  const auto nanosecond = clock.fraction_ns();
  if (!year || !month || !day || !hour || !minute || !second || !nanosecond) return std::nullopt;
  const chrono::year_month_day date{chrono::year{static_cast<int>(*year)},
                                    chrono::month{static_cast<unsigned>(*month)},
                                    chrono::day{static_cast<unsigned>(*day)}};
  const bool in_range = *year >= 1970 && *year < 2262 && *hour < 24 && *minute < 60 && *second < 60;
  if (!date.ok() || !in_range) return std::nullopt;
  const std::int64_t days = chrono::sys_days{date}.time_since_epoch().count();
  return (((days * 24 + *hour) * 60 + *minute) * 60 + *second) * 1'000'000'000 + *nanosecond;
}

std::int64_t read_timestamp(const LineSource& lines, const Field& field) {
  if (const auto ns = parse_timestamp(field.text)) return *ns;
  lines.fail(
      field.offset, field.key,
      "expected a UTC time such as 2023-11-16 18:15:46.6805900, found " + quoted(field.text));
}

Picoseconds since(const LineSource& lines, const Field& field, std::int64_t now_ns,
                  std::int64_t start_ns) {
  constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 2'000;
  const std::int64_t ns = now_ns - start_ns;
  // Half the range each way: rows before the first one move the origin.
  if (ns > kFarthest || ns < -kFarthest)
    lines.fail(field.offset, field.key,
               "expected a time within 53 days of the first row, found " + quoted(field.text));
  return Picoseconds{ns * 1'000};
}

}  // namespace

bool looks_like_azure(std::string_view first_line) { return first_line.starts_with("TIMESTAMP,"); }

void read_azure(LineSource& lines, TraceBuilder& trace) {
  if (const auto header = lines.next(); header && *header != kHeader)
    lines.fail(0, "header", "expected " + quoted(kHeader) + ", found " + quoted(*header));
  std::optional<std::int64_t> start_ns;
  while (!trace.full()) {
    const auto line = lines.next();
    if (!line) break;
    const Row row = split_row(lines, *line);
    const std::int64_t now_ns = read_timestamp(lines, row[0]);
    if (!start_ns) start_ns = now_ns;
    trace.add({.arrival = since(lines, row[0], now_ns, *start_ns),
               .input_tokens = read_tokens(lines, row[1]),
               .output_tokens = read_tokens(lines, row[2])});
  }
}

}  // namespace reticle
