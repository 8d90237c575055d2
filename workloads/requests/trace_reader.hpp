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

namespace reticle {

/// Names of the formats `read_trace` knows: azure, mooncake, reticle.
std::vector<std::string_view> trace_formats();

/// Reads at most `limit` requests. Throws ConfigError with file:line:col when the file cannot be
/// opened, a row is malformed or cut short, a number is negative or absurd (tokens > 10^9,
/// time > 106 days), or no request remains. Slight timestamp disorder is sorted, not refused.
/// `format` empty: told from the content of the first line.
Trace read_trace(const std::string& path, std::string_view format,
                 std::optional<std::int64_t> limit = std::nullopt);

/// Splits "FILE[:format]"; a suffix that is not a known format stays part of the path.
std::pair<std::string, std::string> split_trace_argument(std::string_view argument);

/// Writes our own JSONL: one object a line with arrival_s, input_tokens, output_tokens and
/// optionally prefix_blocks; the first line is a header {"reticle_trace": 1, ...}.
void write_reticle_trace(const Trace& trace, const std::string& path, std::string_view note);

}  // namespace reticle
