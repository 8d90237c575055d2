// SPDX-License-Identifier: Apache-2.0
// The formats behind TraceStream, one source file each.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "workloads/requests/request_source.hpp"

namespace reticle {

/// Whether a file that starts with this line is of the format.
bool looks_like_azure(std::string_view first_line);
bool looks_like_burstgpt(std::string_view first_line);
bool looks_like_coding_agent(std::string_view first_line);
bool looks_like_mooncake(std::string_view first_line);
bool looks_like_qwen(std::string_view first_line);
bool looks_like_reticle(std::string_view first_line);

std::unique_ptr<RowParser> make_azure(const TextPlace& place);
std::unique_ptr<RowParser> make_burstgpt(const TextPlace& place);
std::unique_ptr<RowParser> make_mooncake(const TextPlace& place);
std::unique_ptr<RowParser> make_qwen(const TextPlace& place);
std::unique_ptr<RowParser> make_reticle(const TextPlace& place);

/// A session file, or a folder of them.
std::unique_ptr<RequestSource> open_coding_agent(const std::string& path, bool skip_bad_rows);

}  // namespace reticle
