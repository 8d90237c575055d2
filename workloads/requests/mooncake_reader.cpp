// SPDX-License-Identifier: Apache-2.0
// Mooncake's JSONL: timestamp (ms), input_length, output_length, hash_ids: ids of 512-token blocks,
// equal when the prefix up to and including the block is equal. Other keys are not ours to judge.
// [github.com/kvcache-ai/Mooncake; docs/workloads.md]
#include <string>

#include "workloads/requests/hash_ids.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"

namespace reticle {

namespace {

constexpr std::int64_t kBlockTokens = 512;

class MooncakeParser final : public RowParser {
 public:
  explicit MooncakeParser(const TextPlace& place) : RowParser{place}, row_{place} {}

  void parse(std::string_view line, Request& request) override {
    row_.parse(line);
    request.arrival = read_milliseconds(place_, row_.at("timestamp"));
    request.input_tokens = read_tokens(place_, row_.at("input_length"));
    request.output_tokens = read_tokens(place_, row_.at("output_length"));
    read_block_ids(place_, row_, row_.at("hash_ids"), kBlockTokens, BlockIds::OnePerStarted,
                   request);
  }
  [[nodiscard]] std::int64_t block_tokens() const override { return kBlockTokens; }
  [[nodiscard]] std::string_view time_key() const override { return "timestamp"; }

 private:
  JsonLine row_;
};

}  // namespace

bool looks_like_mooncake(std::string_view first_line) {
  return first_line.starts_with('{') && first_line.find("\"hash_ids\"") != std::string_view::npos;
}

std::unique_ptr<RowParser> make_mooncake(const TextPlace& place) {
  return std::make_unique<MooncakeParser>(place);
}

}  // namespace reticle
