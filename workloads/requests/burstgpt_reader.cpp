// SPDX-License-Identifier: Apache-2.0
// BurstGPT_*.csv: Timestamp (s), Model, Request tokens, Response tokens, Total tokens, Log Type;
// release 2 adds Session ID and Elapsed time. A row of 0 response tokens is a failed request.
// [github.com/HPMLL/BurstGPT; docs/workloads.md]
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sim/base/rng.hpp"
#include "workloads/requests/csv_row.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"

namespace reticle {

namespace {

constexpr std::array<std::string_view, 8> kKnown{
    "Timestamp",      "Session ID",      "Elapsed time", "Model",
    "Request tokens", "Response tokens", "Total tokens", "Log Type"};

class BurstGptParser final : public RowParser {
 public:
  using RowParser::RowParser;

  void begin(LineSource& lines) override {
    const auto header = lines.next();
    if (!header) return;
    header_ = *header;
    for (std::size_t offset = 0; offset <= header_.size();) {
      const std::string_view all{header_};
      const std::string_view name = all.substr(offset, all.find(',', offset) - offset);
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
        lines.fail(offset, "header", "expected a column of BurstGPT, found " + quoted(name));
      if (std::find(names_.begin(), names_.end(), name) != names_.end())
        lines.fail(offset, "header", "expected each column once, found another " + quoted(name));
      names_.push_back(name);
      offset += name.size() + 1;
    }
    timestamp_ = column(lines, "Timestamp");
    request_ = column(lines, "Request tokens");
    response_ = column(lines, "Response tokens");
    total_ = find("Total tokens");
    session_ = find("Session ID");
    row_.resize(names_.size());
  }

  void parse(std::string_view line, Request& request) override {
    split_csv(place_, line, names_, row_);
    const Field& time = row_[timestamp_];
    const auto microseconds = scaled_decimal(time.text, 6);
    if (!microseconds)
      place_.fail(time.offset, time.key, "expected seconds from 0 on, found " + quoted(time.text));
    request.arrival = clock_.since_first(place_, time, *microseconds);
    request.input_tokens = read_tokens(place_, row_[request_]);
    request.output_tokens = read_tokens(place_, row_[response_]);
    if (total_) check_total(row_[*total_], request);
    // An opaque text; empty for requests through the API, which have none.
    if (session_ && !row_[*session_].text.empty()) request.session = fnv1a64(row_[*session_].text);
  }
  [[nodiscard]] std::string_view time_key() const override { return kKnown[0]; }

 private:
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
    const auto at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names_.begin());
  }
  [[nodiscard]] std::size_t column(const LineSource& lines, std::string_view name) const {
    if (const auto at = find(name)) return *at;
    lines.fail(0, "header", "expected a column " + quoted(name) + ", found none");
  }
  void check_total(const Field& field, const Request& request) const {
    if (read_tokens(place_, field) == request.input_tokens + request.output_tokens) return;
    place_.fail(field.offset, field.key,
                "expected the sum of request and response tokens, found " + quoted(field.text));
  }

  std::string header_;
  std::vector<std::string_view> names_;
  std::vector<Field> row_;
  std::size_t timestamp_ = 0;
  std::size_t request_ = 0;
  std::size_t response_ = 0;
  std::optional<std::size_t> total_;
  std::optional<std::size_t> session_;
  FirstRowClock clock_{Picoseconds{1'000'000}};
};

}  // namespace

bool looks_like_burstgpt(std::string_view first_line) {
  return first_line.starts_with("Timestamp,");
}

std::unique_ptr<RowParser> make_burstgpt(const TextPlace& place) {
  return std::make_unique<BurstGptParser>(place);
}

}  // namespace reticle
