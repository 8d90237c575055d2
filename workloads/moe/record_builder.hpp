// SPDX-License-Identifier: Apache-2.0
// What the readers of recordings share: a record that takes whole tokens, in order.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workloads/llm/llm_bounds.hpp"
#include "workloads/moe/routing_record.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

class RecordBuilder {
 public:
  static constexpr std::int64_t kMaxExperts = llm_bounds::kExperts;
  static constexpr std::int64_t kMaxLayers = llm_bounds::kLayers;
  static constexpr std::size_t kMostPicks = std::size_t{1} << 30;  ///< 2 GiB of them

  RecordBuilder(const TextPlace& place, RoutingRecord& record) : place_{place}, r_{record} {}

  /// The top_k picks of a token at a layer.
  void check_picks(const std::uint64_t* picks, std::size_t offset) {
    const auto most = static_cast<std::uint64_t>(r_.experts > 0 ? r_.experts : kMaxExperts);
    seen_.resize(static_cast<std::size_t>(kMaxExperts));
    ++checks_;
    for (const auto* pick = picks; pick != picks + r_.top_k; ++pick) {
      if (*pick >= most)
        place_.fail(offset, "experts",
                    "expected an expert below " + std::to_string(most) + ", found " +
                        std::to_string(*pick));
      if (std::exchange(seen_[*pick], checks_) == checks_)
        place_.fail(offset, "experts",
                    "expected different experts, found " + std::to_string(*pick) + " twice");
    }
  }

  /// A token's picks at all layers, checked; nothing is taken of one that is refused. Behind rows
  /// left out positions may have a gap, which closes.
  void add(std::int64_t session, std::int64_t position, const std::vector<std::uint64_t>& picks,
           bool gap) {
    const auto id = static_cast<std::uint64_t>(session);
    if (r_.sessions.empty() || r_.sessions.back().id != id) {
      if (!ids_.insert(id).second)
        place_.fail(0, "session", "expected its tokens one after another, found it again");
      r_.sessions.push_back({id, position, {}});
    } else if (position != next_ && !(gap && position > next_)) {
      place_.fail(
          0, "token_pos",
          "expected position " + std::to_string(next_) + ", found " + std::to_string(position));
    }
    next_ = position + 1;
    held_ += picks.size();
    if (held_ > kMostPicks)
      place_.fail(0, "routing", "expected at most " + std::to_string(kMostPicks) + " picks in all");
    auto& all = r_.sessions.back().picks;
    for (const std::uint64_t pick : picks) {
      all.push_back(static_cast<std::uint16_t>(pick));
      most_ = std::max(most_, static_cast<std::int64_t>(pick));
    }
  }

  void finish(const BadRows& bad) {
    r_.bad_rows = bad;
    if (r_.sessions.empty()) place_.fail(0, "routing", "expected at least one token, found none");
    if (r_.experts == 0) r_.experts = std::max(most_ + 1, r_.top_k);
  }

 private:
  const TextPlace& place_;
  RoutingRecord& r_;
  std::set<std::uint64_t> ids_;
  std::vector<std::uint64_t> seen_;  ///< by expert: the check that saw it last
  std::uint64_t checks_ = 0;
  std::size_t held_ = 0;
  std::int64_t next_ = 0;
  std::int64_t most_ = 0;
};

}  // namespace reticle
