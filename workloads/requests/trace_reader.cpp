// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_reader.hpp"

#include <utility>

#include "sim/base/error.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

namespace {
/// A replay holds its requests; 25 million rows of the size BurstGPT's are. A gzipped file of a few
/// megabytes can hold more than any machine.
constexpr std::size_t kMostTraceBytes = std::size_t{4} << 30;
}  // namespace

Trace read_trace(const std::string& path, std::string_view format, const TraceOptions& options) {
  TraceStream stream{path, format, options};
  Trace trace;
  trace.path = path;
  trace.format = stream.format();
  std::size_t bytes = 0;
  while (auto request = stream.next()) {
    bytes += sizeof(Request) + request->prefix_blocks.size() * sizeof(std::uint64_t);
    if (bytes > kMostTraceBytes)
      throw ConfigError{{path},
                        "requests",
                        "expected a trace that " + std::to_string(kMostTraceBytes >> 30) +
                            " GiB hold, found more after " + std::to_string(trace.requests.size()) +
                            ": take a part of it (workload.limit, skip, sample)"};
    trace.requests.push_back(std::move(*request));
  }
  trace.block_tokens = stream.block_tokens();
  trace.skipped = stream.skipped();
  trace.bad_rows = stream.bad_rows();
  trace.digest = stream.digest();
  if (trace.requests.empty()) throw stream.none_found();
  return trace;
}

Trace read_trace(const std::string& path, std::string_view format,
                 std::optional<std::int64_t> limit) {
  TraceOptions options;
  options.limit = limit;
  return read_trace(path, format, options);
}

}  // namespace reticle
