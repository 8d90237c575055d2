// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "models/hbm/hbm_run_queue.hpp"

namespace reticle {

/// The ends that requesters have been told of their runs, and when the runs really ended.
class HbmToldEnds {
 public:
  struct Told {
    std::uint8_t requester = 0;
    HbmRunQueue::Id id = 0;
    HbmTick at = 0;
    HbmTick really = HbmRunQueue::kUnknown;
  };

  /// `told.at` may lie before or after others'.
  void add(const Told& told) {
    if (told_.size() == kMost) told_.erase(told_.begin());
    const auto later = [](HbmTick at, const Told& other) { return at < other.at; };
    told_.insert(std::upper_bound(told_.begin(), told_.end(), told.at, later), told);
  }
  void ended(const HbmRunQueue::End& end) {
    for (Told& told : told_)
      if (told.id == end.id && told.really == HbmRunQueue::kUnknown) told.really = end.at;
  }
  /// The requester's earliest end up to `at`, once: what it asks at `at` follows from that.
  std::optional<Told> take(std::uint8_t requester, HbmTick at) {
    for (auto told = told_.begin(); told != told_.end() && told->at <= at; ++told) {
      if (told->requester != requester) continue;
      const Told taken = *told;
      told_.erase(told);
      return taken;
    }
    return std::nullopt;
  }

 private:
  /// More than requesters have outstanding: of one that never comes back, the earliest are forgotten.
  static constexpr std::size_t kMost = 1024;
  std::vector<Told> told_;  ///< ascending
};

}  // namespace reticle
