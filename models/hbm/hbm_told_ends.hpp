// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "models/hbm/hbm_commands.hpp"

namespace reticle {

/// The ends one requester has been told of its runs, and when its runs really ended: whatever it
/// asks for after an end it was told, it would have asked for after the real one.
class HbmToldEnds {
 public:
  void told(HbmTick at) {
    told_.insert(std::upper_bound(told_.begin(), told_.end(), at), at);
    if (told_.size() < kMost || ended_.empty()) return;
    told_.pop_front();
    ended_.pop_front();
  }
  /// In the order of their times.
  void ended(HbmTick at) { ended_.push_back(at); }

  struct Follows {
    HbmTick later = 0;             ///< than the end it was told
    std::optional<HbmTick> ended;  ///< when that really was; nothing: it is still to come
  };
  /// What a run asked for at `at` follows: its n-th end told and its n-th real end, whichever run
  /// that is of; nothing: all ends told lie ahead.
  std::optional<Follows> take(HbmTick at) {
    if (told_.empty() || told_.front() > at) return std::nullopt;
    Follows follows{.later = at - told_.front(), .ended = {}};
    told_.pop_front();
    if (ended_.empty()) return follows;
    follows.ended = ended_.front();
    ended_.pop_front();
    return follows;
  }

 private:
  /// More than a requester has outstanding: of one that asks without regard to ends, the earliest
  /// are forgotten.
  static constexpr std::size_t kMost = 1024;
  std::deque<HbmTick> told_;  ///< ascending
  std::deque<HbmTick> ended_;
};

}  // namespace reticle
