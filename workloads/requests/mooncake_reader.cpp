// SPDX-License-Identifier: Apache-2.0
// Mooncake's JSONL: timestamp (ms), input_length, output_length, hash_ids: ids of 512-token blocks,
// equal when the prefix up to and including the block is equal. Other keys are not ours to judge.
// [github.com/kvcache-ai/Mooncake; docs/workloads.md]
#include <string>
#include <utility>

#include "workloads/requests/trace_formats.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

namespace {

constexpr std::int64_t kBlockTokens = 512;

std::vector<std::uint64_t> read_blocks(const LineSource& lines, const JsonLine& row,
                                       std::int64_t input_tokens) {
  const Field& field = row.at("hash_ids");
  auto blocks = row.ids(field);
  const std::int64_t expected = div_up(input_tokens, kBlockTokens);
  if (static_cast<std::int64_t>(blocks.size()) != expected)
    lines.fail(field.offset, field.key,
               "expected " + std::to_string(expected) + " ids (one per 512 input tokens), found " +
                   std::to_string(blocks.size()));
  return blocks;
}

}  // namespace

bool looks_like_mooncake(std::string_view first_line) {
  return first_line.starts_with('{') && first_line.find("\"hash_ids\"") != std::string_view::npos;
}

void read_mooncake(LineSource& lines, TraceBuilder& trace) {
  trace.set_block_tokens(kBlockTokens);
  JsonLine row{lines};
  while (!trace.full()) {
    const auto line = lines.next();
    if (!line) break;
    row.parse(*line);
    Request request{.arrival = read_milliseconds(lines, row.at("timestamp")),
                    .input_tokens = read_tokens(lines, row.at("input_length")),
                    .output_tokens = read_tokens(lines, row.at("output_length"))};
    request.prefix_blocks = read_blocks(lines, row, request.input_tokens);
    trace.add(std::move(request));
  }
}

}  // namespace reticle
