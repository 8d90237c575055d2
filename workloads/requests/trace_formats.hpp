// SPDX-License-Identifier: Apache-2.0
// The readers behind read_trace, one per format and source file.
#pragma once

#include <string_view>

#include "workloads/requests/trace_row.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

/// Whether a file that starts with this line is of the format.
bool looks_like_azure(std::string_view first_line);
bool looks_like_mooncake(std::string_view first_line);
bool looks_like_reticle(std::string_view first_line);

/// Reads rows until the file ends or the trace is full.
void read_azure(LineSource& lines, TraceBuilder& trace);
void read_mooncake(LineSource& lines, TraceBuilder& trace);
void read_reticle(LineSource& lines, TraceBuilder& trace);

}  // namespace reticle
