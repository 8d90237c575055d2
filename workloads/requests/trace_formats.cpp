// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_formats.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "workloads/requests/trace_reader.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

namespace {

/// Formats of rows have a parser, formats of documents a source of their own.
struct TraceFormat {
  std::string_view name;
  bool (*recognises)(std::string_view first_line);
  std::unique_ptr<RowParser> (*parser)(const TextPlace& place);
  std::unique_ptr<RequestSource> (*open)(const std::string& path, bool skip_bad_rows);
};

// Asked in this order: what a coding agent or Qwen writes has Mooncake's hash_ids too.
constexpr std::array<TraceFormat, 6> kFormats{{
    {"azure", looks_like_azure, make_azure, nullptr},
    {"burstgpt", looks_like_burstgpt, make_burstgpt, nullptr},
    {"coding-agent", looks_like_coding_agent, nullptr, open_coding_agent},
    {"qwen", looks_like_qwen, make_qwen, nullptr},
    {"mooncake", looks_like_mooncake, make_mooncake, nullptr},
    {"reticle", looks_like_reticle, make_reticle, nullptr},
}};

const TraceFormat* find_format(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(),
                   [name](const TraceFormat& format) { return format.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string format_names() {
  std::string names;
  for (const auto name : trace_formats()) names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

const TraceFormat& recognised_format(const std::string& path, LineSource& lines) {
  const auto first_line = lines.peek();
  if (!first_line) throw ConfigError{{path}, "requests", "expected at least one, found none"};
  for (const auto& format : kFormats)
    if (format.recognises(*first_line)) return format;
  lines.fail(
      0, "format",
      "expected the first line of a trace (" + format_names() + "), found " + quoted(*first_line));
}

class RowRequests final : public RequestSource {
 public:
  RowRequests(std::unique_ptr<LineSource> lines, const TraceFormat& format, bool skip_bad_rows)
      : RequestSource{skip_bad_rows}, lines_{std::move(lines)}, parser_{format.parser(*lines_)} {
    parser_->begin(*lines_);
  }

  bool next(Request& request) override {
    while (const auto line = lines_->next()) {
      try {
        clear(request);
        parser_->parse(*line, request);
        if (!served(request)) continue;
        check_order(request.arrival);
        return true;
      } catch (const ConfigError& error) {
        bad_rows_.take(error);
      }
    }
    return false;
  }
  [[nodiscard]] std::int64_t block_tokens() const override { return parser_->block_tokens(); }
  std::uint64_t digest() override { return lines_->digest(); }

 private:
  static void clear(Request& request) {
    auto blocks = std::move(request.prefix_blocks);
    blocks.clear();
    request = Request{};
    request.prefix_blocks = std::move(blocks);
  }
  void check_order(Picoseconds arrival) {
    if (latest_ && *latest_ - arrival > kDisorder)
      lines_->fail(0, parser_->time_key(),
                   "expected a time at most 10 s before the latest row above, found one " +
                       std::to_string((*latest_ - arrival).count() / kPicosecondsPerSecond) +
                       " s before");
    if (given_ && arrival < *given_)
      lines_->fail(0, parser_->time_key(),
                   "expected no time before that of a row " + std::to_string(kMostHeld) +
                       " rows or " + std::to_string(kMostHeldIds) +
                       " block ids above, found an earlier one");
    latest_ = max(latest_.value_or(arrival), arrival);
  }
  static Picoseconds max(Picoseconds a, Picoseconds b) { return a < b ? b : a; }

  std::unique_ptr<LineSource> lines_;
  std::unique_ptr<RowParser> parser_;
  std::optional<Picoseconds> latest_;
};

}  // namespace

std::vector<std::string_view> trace_formats() {
  std::vector<std::string_view> names;
  for (const auto& format : kFormats) names.push_back(format.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<RequestSource> open_requests(const std::string& path, std::string_view& format,
                                             bool skip_bad_rows) {
  std::error_code ignored;
  if (format.empty() && std::filesystem::is_directory(path, ignored)) format = "coding-agent";
  const TraceFormat* chosen = find_format(format);
  if (!format.empty() && chosen == nullptr)
    throw ConfigError{
        {path}, "format", "expected one of " + format_names() + ", found " + quoted(format)};
  std::unique_ptr<LineSource> lines;
  if (chosen == nullptr || chosen->parser != nullptr) lines = std::make_unique<LineSource>(path);
  if (chosen == nullptr) chosen = &recognised_format(path, *lines);
  format = chosen->name;
  if (chosen->open != nullptr) return chosen->open(path, skip_bad_rows);
  return std::make_unique<RowRequests>(std::move(lines), *chosen, skip_bad_rows);
}

std::pair<std::string, std::string> split_trace_argument(std::string_view argument) {
  const std::size_t colon = argument.rfind(':');
  if (colon == std::string_view::npos || find_format(argument.substr(colon + 1)) == nullptr)
    return {std::string{argument}, ""};
  return {std::string{argument.substr(0, colon)}, std::string{argument.substr(colon + 1)}};
}

}  // namespace reticle
