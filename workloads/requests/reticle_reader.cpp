// SPDX-License-Identifier: Apache-2.0
// Our own JSONL, as write_reticle_trace writes it. [docs/workloads.md]
#include <string>

#include "workloads/requests/hash_ids.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

namespace {

constexpr std::uint64_t kMostTurns = 1'000'000'000;
constexpr std::uint64_t kDeepest = 1'000;
constexpr std::uint64_t kMostClasses = 1'000'000;

class ReticleParser final : public RowParser {
 public:
  explicit ReticleParser(const TextPlace& place) : RowParser{place}, row_{place} {}

  void begin(LineSource& lines) override {
    const auto header = lines.next();
    if (!header) return;
    row_.parse(*header);
    row_.reject_unknown({"reticle_trace", "block_tokens", "note"});
    const Field& version = row_.at("reticle_trace");
    if (version.text != "1")
      lines.fail(version.offset, version.key, "expected version 1, found " + quoted(version.text));
    if (const Field* tokens = row_.find("block_tokens"))
      block_tokens_ = read_tokens(place_, *tokens);
  }

  void parse(std::string_view line, Request& request) override {
    row_.parse(line);
    row_.reject_unknown({"arrival_s", "input_tokens", "output_tokens", "prefix_blocks", "session",
                         "turn", "depth", "thinking_tokens", "adapter", "priority", "pause_s"});
    request.arrival = read_seconds(place_, row_.at("arrival_s"));
    request.input_tokens = read_tokens(place_, row_.at("input_tokens"));
    request.output_tokens = read_tokens(place_, row_.at("output_tokens"));
    if (const Field* blocks = row_.find("prefix_blocks"))
      read_block_ids(place_, row_, *blocks, block_tokens_, BlockIds::AtMostOne, request);
    if (row_.members().size() > 3) read_optional(request);
  }
  [[nodiscard]] std::int64_t block_tokens() const override { return block_tokens_; }
  [[nodiscard]] std::string_view time_key() const override { return "arrival_s"; }

 private:
  void read_optional(Request& request) const {
    const auto whole = [this](std::string_view key, std::uint64_t most) {
      const Field* field = row_.find(key);
      return field == nullptr ? std::nullopt : std::optional{read_whole(place_, *field, most)};
    };
    request.session = whole("session", ~0ULL);
    request.turn = static_cast<std::int64_t>(whole("turn", kMostTurns).value_or(0));
    request.depth = static_cast<std::int32_t>(whole("depth", kDeepest).value_or(0));
    request.thinking_tokens = static_cast<std::int64_t>(
        whole("thinking_tokens", static_cast<std::uint64_t>(request.output_tokens)).value_or(0));
    if (const auto adapter = whole("adapter", 0xffff'ffff))
      request.adapter = static_cast<std::uint32_t>(*adapter);
    request.priority = static_cast<std::int64_t>(whole("priority", kMostClasses).value_or(0));
    if (const Field* pause = row_.find("pause_s")) request.pause = read_seconds(place_, *pause);
  }

  JsonLine row_;
  std::int64_t block_tokens_ = 0;
};

}  // namespace

bool looks_like_reticle(std::string_view first_line) {
  return first_line.starts_with('{') &&
         first_line.find("\"reticle_trace\"") != std::string_view::npos;
}

std::unique_ptr<RowParser> make_reticle(const TextPlace& place) {
  return std::make_unique<ReticleParser>(place);
}

}  // namespace reticle
