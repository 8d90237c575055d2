// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

/// A resource that serves one user at a time, and whose idle times stay open to later askers: what
/// a reordering controller makes of a data bus that waits for a bank.
class BusTimeline {
 public:
  struct Slot {
    Picoseconds first{};  ///< start of the first part
    Picoseconds last{};   ///< end of the last part
  };

  /// Takes `length` from `earliest` on, in parts where earlier users left room.
  Slot reserve(Picoseconds earliest, Picoseconds length) {
    Slot slot{.first = Picoseconds{-1}, .last = {}};
    const auto take = [&](Picoseconds begin, Picoseconds part) {
      if (slot.first.count() < 0) slot.first = begin;
      slot.last = begin + part;
      length -= part;
    };
    std::size_t i = gaps_.size();
    while (i > 0 && gaps_[i - 1].end > earliest) --i;
    while (i < gaps_.size() && length.count() > 0) {
      const Gap gap = gaps_[i];
      const Picoseconds begin = max(gap.begin, earliest);
      const Picoseconds part = std::min(length, gap.end - begin);
      take(begin, part);
      i = cut(i, begin, begin + part);
    }
    if (length.count() > 0) {
      const Picoseconds begin = max(tail_, earliest);
      if (begin > tail_) add({tail_, begin});
      tail_ = begin + length;
      take(begin, length);
    }
    return slot;
  }
  /// End of all that is reserved.
  [[nodiscard]] Picoseconds tail() const { return tail_; }
  /// Gives up the idle times so far.
  void fence() { gaps_.clear(); }

 private:
  struct Gap {
    Picoseconds begin{}, end{};
  };
  /// More idle times than a controller's queue can make use of at once.
  static constexpr std::size_t kMostGaps = 16;

  void add(Gap gap) {
    if (gaps_.size() == kMostGaps) gaps_.erase(gaps_.begin());
    gaps_.push_back(gap);
  }
  /// Removes [begin, end) from gap `i`; returns the index of the gap after it.
  std::size_t cut(std::size_t i, Picoseconds begin, Picoseconds end) {
    const Gap gap = gaps_[i];
    const auto at = gaps_.begin() + static_cast<std::ptrdiff_t>(i);
    if (gap.begin < begin && end < gap.end) {
      at->end = begin;
      gaps_.insert(at + 1, {end, gap.end});
      if (gaps_.size() <= kMostGaps) return i + 2;
      gaps_.erase(gaps_.begin());
      return i + 1;
    }
    if (gap.begin < begin) {
      at->end = begin;
      return i + 1;
    }
    if (end < gap.end) {
      at->begin = end;
      return i + 1;
    }
    gaps_.erase(at);
    return i;
  }

  std::vector<Gap> gaps_;  ///< ascending, disjoint, all before tail_
  Picoseconds tail_{};
};

}  // namespace reticle
