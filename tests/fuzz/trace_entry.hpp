// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the trace readers: any bytes give figures or a ConfigError.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "workloads/requests/trace_plot.hpp"
#include "workloads/requests/trace_statistics.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

/// A histogram of lengths is as long as the longest of them below its bound: 8 MB to clear, where a
/// fuzzer has microseconds.
inline bool cheap_to_count(std::int64_t tokens) {
  return tokens < 4096 || tokens >= LengthHistogram::kExact;
}

/// Reads `content` as `format` (empty: whatever it looks like) and answers how many requests it
/// gave, -1 when it was refused. Anything but a ConfigError escapes.
inline std::int64_t read_any_trace(std::string_view content, std::string_view format, bool skip) {
  const MemoryFile file{content};
  try {
    TraceStream stream{file.path(), format, {.skip_bad_rows = skip, .sample = skip ? 0.5 : 1.0}};
    TraceStatistics figures{64, 1 << 16};
    Request request;
    std::int64_t requests = 0;
    while (stream.next(request)) {
      ++requests;
      if (cheap_to_count(request.input_tokens) && cheap_to_count(request.output_tokens))
        figures.add(request);
    }
    // A drawing takes a hundred times as long as the reading: of some.
    if (figures.requests() > 0 && content.size() % 64 == 0 && trace_svg(figures, "fuzz").empty())
      return -1;
    return requests;
  } catch (const ConfigError&) {
    return -1;
  }
}

}  // namespace reticle
