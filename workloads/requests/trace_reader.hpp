// SPDX-License-Identifier: Apache-2.0
// Published request traces, read as published. One reader per format, found by name in a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/requests/request.hpp"
#include "workloads/requests/trace_options.hpp"

namespace reticle {

/// Names of the formats `read_trace` knows, sorted.
std::vector<std::string_view> trace_formats();

/// Reads what `options` keep of a file. Throws ConfigError with file:line:col when the file cannot
/// be opened, a row is malformed or cut short, a number is negative or absurd (tokens > 10^9,
/// time > 106 days), time runs back by more than 10 s, or no request remains.
/// `format` empty: told from the content of the first line; a folder is one of agent sessions.
Trace read_trace(const std::string& path, std::string_view format, const TraceOptions& options);
Trace read_trace(const std::string& path, std::string_view format,
                 std::optional<std::int64_t> limit = std::nullopt);

/// Splits "FILE[:format]"; a suffix that is not a known format stays part of the path.
std::pair<std::string, std::string> split_trace_argument(std::string_view argument);

/// Writes our own JSONL, one object a line below a header (docs/workloads.md has every key). What
/// is read back equals what was written.
void write_reticle_trace(const Trace& trace, const std::string& path, std::string_view note);

}  // namespace reticle
