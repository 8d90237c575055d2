// SPDX-License-Identifier: Apache-2.0
// Our own JSONL, as write_reticle_trace writes it. [docs/workloads.md]
#include <string>
#include <utility>

#include "workloads/requests/trace_formats.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

namespace {

/// Answers the tokens per prefix block; 0 = the trace has none.
std::int64_t read_header(const LineSource& lines, const JsonLine& header) {
  header.reject_unknown({"reticle_trace", "block_tokens", "note"});
  const Field& version = header.at("reticle_trace");
  if (version.text != "1")
    lines.fail(version.offset, version.key, "expected version 1, found " + quoted(version.text));
  const Field* block_tokens = header.find("block_tokens");
  return block_tokens != nullptr ? read_tokens(lines, *block_tokens) : 0;
}

std::vector<std::uint64_t> read_blocks(const LineSource& lines, const JsonLine& row,
                                       std::int64_t input_tokens, std::int64_t block_tokens) {
  const Field* field = row.find("prefix_blocks");
  if (field == nullptr) return {};
  auto blocks = row.ids(*field);
  const std::int64_t most = block_tokens > 0 ? div_up(input_tokens, block_tokens) : 0;
  if (static_cast<std::int64_t>(blocks.size()) > most)
    lines.fail(field->offset, field->key,
               "expected at most " + std::to_string(most) + " ids (one per " +
                   std::to_string(block_tokens) + " input tokens), found " +
                   std::to_string(blocks.size()));
  return blocks;
}

}  // namespace

bool looks_like_reticle(std::string_view first_line) {
  return first_line.starts_with('{') &&
         first_line.find("\"reticle_trace\"") != std::string_view::npos;
}

void read_reticle(LineSource& lines, TraceBuilder& trace) {
  JsonLine row{lines};
  std::int64_t block_tokens = 0;
  if (const auto header = lines.next()) {
    row.parse(*header);
    block_tokens = read_header(lines, row);
    trace.set_block_tokens(block_tokens);
  }
  while (!trace.full()) {
    const auto line = lines.next();
    if (!line) break;
    row.parse(*line);
    row.reject_unknown({"arrival_s", "input_tokens", "output_tokens", "prefix_blocks"});
    Request request{.arrival = read_seconds(lines, row.at("arrival_s")),
                    .input_tokens = read_tokens(lines, row.at("input_tokens")),
                    .output_tokens = read_tokens(lines, row.at("output_tokens"))};
    request.prefix_blocks = read_blocks(lines, row, request.input_tokens, block_tokens);
    trace.add(std::move(request));
  }
}

}  // namespace reticle
