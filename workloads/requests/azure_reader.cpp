// SPDX-License-Identifier: Apache-2.0
// AzureLLMInferenceTrace_*.csv: TIMESTAMP (UTC), ContextTokens (prompt), GeneratedTokens.
// [github.com/Azure/AzurePublicDataset; docs/workloads.md]
#include <array>
#include <chrono>
#include <string>

#include "workloads/requests/csv_row.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"

namespace reticle {

namespace {

constexpr std::array<std::string_view, 3> kColumns{"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
constexpr std::string_view kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";

/// Reads fixed places of "2023-11-16 18:15:46.6805900".
class ClockText {
 public:
  explicit ClockText(std::string_view text) : text_{text} {}

  /// `width` digits that end before `after`, or nothing.
  std::optional<std::int64_t> number(std::size_t width, char after) {
    if (text_.size() < width || (after != '\0' && (text_.size() == width || text_[width] != after)))
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
    // Kept off scaled_decimal: this is half the cost of a row.
    if (text_.front() != '.') return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text_.substr(1)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    for (std::size_t digits = text_.size() - 1; digits < 9; ++digits) value *= 10;
    return value;
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

std::int64_t read_timestamp(const TextPlace& place, const Field& field) {
  if (const auto ns = parse_timestamp(field.text)) return *ns;
  place.fail(
      field.offset, field.key,
      "expected a UTC time such as 2023-11-16 18:15:46.6805900, found " + quoted(field.text));
}

class AzureParser final : public RowParser {
 public:
  using RowParser::RowParser;

  void begin(LineSource& lines) override {
    if (const auto header = lines.next(); header && *header != kHeader)
      lines.fail(0, "header", "expected " + quoted(kHeader) + ", found " + quoted(*header));
  }
  void parse(std::string_view line, Request& request) override {
    std::array<Field, kColumns.size()> row;
    split_csv(place_, line, kColumns, row);
    request.arrival = clock_.since_first(place_, row[0], read_timestamp(place_, row[0]));
    request.input_tokens = read_tokens(place_, row[1]);
    request.output_tokens = read_tokens(place_, row[2]);
  }
  [[nodiscard]] std::string_view time_key() const override { return kColumns[0]; }

 private:
  FirstRowClock clock_{Picoseconds{1'000}};
};

}  // namespace

bool looks_like_azure(std::string_view first_line) { return first_line.starts_with("TIMESTAMP,"); }

std::unique_ptr<RowParser> make_azure(const TextPlace& place) {
  return std::make_unique<AzureParser>(place);
}

}  // namespace reticle
