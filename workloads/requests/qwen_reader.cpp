// SPDX-License-Identifier: Apache-2.0
// Qwen-Bailian's JSONL: chat_id, parent_chat_id (-1 = first turn), timestamp (s), input_length,
// output_length, type, turn, hash_ids: hashes of the CONTENT of 16-token blocks.
// [github.com/alibaba-edu/qwen-bailian-usagetraces-anon; arXiv 2506.02634; docs/workloads.md]
#include <deque>
#include <string>
#include <unordered_map>

#include "sim/base/rng.hpp"
#include "workloads/requests/hash_ids.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"

namespace reticle {

namespace {

constexpr std::int64_t kBlockTokens = 16;
constexpr std::uint64_t kMostTurns = 1'000'000'000;

/// The first chat of each conversation, for the chats read last.
class Conversations {
 public:
  std::uint64_t add(std::uint64_t chat, std::optional<std::uint64_t> parent) {
    std::uint64_t root = chat;
    if (parent) {
      const auto known = roots_.find(*parent);
      root = known == roots_.end() ? *parent : known->second;
    }
    if (roots_.insert_or_assign(chat, root).second) order_.push_back(chat);
    if (order_.size() > kMost) {
      roots_.erase(order_.front());
      order_.pop_front();
    }
    return root;
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 20;
  std::unordered_map<std::uint64_t, std::uint64_t> roots_;
  std::deque<std::uint64_t> order_;
};

class QwenParser final : public RowParser {
 public:
  explicit QwenParser(const TextPlace& place) : RowParser{place}, row_{place} {}

  void parse(std::string_view line, Request& request) override {
    row_.parse(line);
    request.arrival = read_seconds(place_, row_.at("timestamp"));
    request.input_tokens = read_tokens(place_, row_.at("input_length"));
    request.output_tokens = read_tokens(place_, row_.at("output_length"));
    read_block_ids(place_, row_, row_.at("hash_ids"), kBlockTokens, BlockIds::OnePerStarted,
                   request);
    // Equal content further on is another prefix: chained, an id stands for all before it too.
    std::uint64_t prefix = 0;
    for (std::uint64_t& id : request.prefix_blocks) id = prefix = combine64(prefix, id);
    const std::uint64_t chat = read_whole(place_, row_.at("chat_id"), ~0ULL);
    const Field& parent = row_.at("parent_chat_id");
    if (const Field* turn = row_.find("turn"))
      request.turn = std::max<std::int64_t>(
          static_cast<std::int64_t>(read_whole(place_, *turn, kMostTurns)) - 1, 0);
    request.session =
        chats_.add(chat, parent.text == "-1" ? std::nullopt
                                             : std::optional{read_whole(place_, parent, ~0ULL)});
  }
  [[nodiscard]] std::int64_t block_tokens() const override { return kBlockTokens; }
  [[nodiscard]] std::string_view time_key() const override { return "timestamp"; }

 private:
  JsonLine row_;
  Conversations chats_;
};

}  // namespace

bool looks_like_qwen(std::string_view first_line) {
  return first_line.starts_with('{') &&
         first_line.find("\"parent_chat_id\"") != std::string_view::npos;
}

std::unique_ptr<RowParser> make_qwen(const TextPlace& place) {
  return std::make_unique<QwenParser>(place);
}

}  // namespace reticle
