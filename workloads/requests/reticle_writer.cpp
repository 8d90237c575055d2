// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "sim/base/file_writer.hpp"
#include "workloads/requests/trace_reader.hpp"
#include "workloads/text/json_string.hpp"

namespace reticle {

namespace {

/// Seconds as an exact decimal without trailing zeros: what is read back is what was written.
std::string exact_seconds(Picoseconds time) {
  std::string fraction = std::to_string(time.count() % kPicosecondsPerSecond);
  fraction.insert(0, 12 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  const std::string whole = std::to_string(time.count() / kPicosecondsPerSecond);
  return fraction.empty() ? whole : whole + "." + fraction;
}

std::string header_line(const Trace& trace, std::string_view note) {
  std::string line = R"({"reticle_trace": 1)";
  if (trace.block_tokens > 0) line += R"(, "block_tokens": )" + std::to_string(trace.block_tokens);
  if (!note.empty()) line += R"(, "note": )" + json_string(note);
  return line + "}\n";
}

std::string request_line(const Request& request) {
  std::string line = R"({"arrival_s": )" + exact_seconds(request.arrival) +
                     R"(, "input_tokens": )" + std::to_string(request.input_tokens) +
                     R"(, "output_tokens": )" + std::to_string(request.output_tokens);
  if (!request.prefix_blocks.empty()) {
    line += R"(, "prefix_blocks": [)";
    std::string_view separator;
    for (const std::uint64_t block : request.prefix_blocks) {
      line.append(separator).append(std::to_string(block));
      separator = ",";
    }
    line += "]";
  }
  const auto add = [&line](std::string_view key, const std::string& value) {
    line.append(", \"").append(key).append("\": ").append(value);
  };
  if (request.session) add("session", std::to_string(*request.session));
  if (request.turn != 0) add("turn", std::to_string(request.turn));
  if (request.depth != 0) add("depth", std::to_string(request.depth));
  if (request.thinking_tokens != 0) add("thinking_tokens", std::to_string(request.thinking_tokens));
  if (request.adapter) add("adapter", std::to_string(*request.adapter));
  if (request.priority != 0) add("priority", std::to_string(request.priority));
  if (request.pause) add("pause_s", exact_seconds(*request.pause));
  return line + "}\n";
}

}  // namespace

void write_reticle_trace(const Trace& trace, const std::string& path, std::string_view note) {
  WholeFile file{path};
  file.text() << header_line(trace, note);
  for (const Request& request : trace.requests) file.text() << request_line(request);
  file.done();
}

}  // namespace reticle
