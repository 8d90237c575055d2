// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_reader.hpp"

#include <algorithm>
#include <array>

#include "workloads/requests/trace_formats.hpp"

namespace reticle {

namespace {

struct TraceFormat {
  std::string_view name;
  bool (*recognises)(std::string_view first_line);
  void (*read)(LineSource& lines, TraceBuilder& trace);
};

constexpr std::array<TraceFormat, 3> kFormats{{
    {"azure", looks_like_azure, read_azure},
    {"mooncake", looks_like_mooncake, read_mooncake},
    {"reticle", looks_like_reticle, read_reticle},
}};

const TraceFormat* find_format(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(),
                   [name](const TraceFormat& format) { return format.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string format_names() {
  std::string names;
  for (const auto& format : kFormats) names.append(names.empty() ? "" : ", ").append(format.name);
  return names;
}

const TraceFormat& named_format(const std::string& path, std::string_view name) {
  if (const TraceFormat* format = find_format(name)) return *format;
  throw ConfigError{
      {path}, "format", "expected one of " + format_names() + ", found " + quoted(name)};
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

}  // namespace

std::vector<std::string_view> trace_formats() {
  std::vector<std::string_view> names;
  for (const auto& format : kFormats) names.push_back(format.name);
  return names;
}

Trace read_trace(const std::string& path, std::string_view format,
                 std::optional<std::int64_t> limit) {
  if (limit && *limit < 1)
    throw ConfigError{{}, "limit", "expected at least 1, found " + std::to_string(*limit)};
  LineSource lines{path};
  const TraceFormat& reader =
      format.empty() ? recognised_format(path, lines) : named_format(path, format);
  Trace trace;
  trace.path = path;
  trace.format = reader.name;
  TraceBuilder builder{trace, limit};
  reader.read(lines, builder);
  builder.finish();
  trace.digest = lines.digest();
  return trace;
}

std::pair<std::string, std::string> split_trace_argument(std::string_view argument) {
  const std::size_t colon = argument.rfind(':');
  if (colon == std::string_view::npos || find_format(argument.substr(colon + 1)) == nullptr)
    return {std::string{argument}, ""};
  return {std::string{argument.substr(0, colon)}, std::string{argument.substr(colon + 1)}};
}

}  // namespace reticle
