// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "models/hbm/hbm_spec.hpp"

namespace reticle {

/// All-bank refresh of one pseudo-channel as a clock that stops: due every tREFI, it takes from the
/// data bus tRTP + tRP + tRFC + tRCD, in which the rows are closed, refreshed and opened again
/// (docs/models/hbm.md, "Refresh"). Useful time is time less these stops.
class RefreshClock {
 public:
  RefreshClock(const HbmTiming& t, RefreshMode mode)
      : on_{mode == RefreshMode::AllBank},
        interval_{t.t_refi},
        commands_{t.t_rtp + t.t_rp + t.t_rfc_ab},
        stop_{t.t_rtp + t.t_rp + t.t_rfc_ab + t.t_rcd_rd},
        first_{t.t_refi + t.t_cl},
        intervals_{interval_},
        data_{interval_},
        useful_{interval_ - stop_} {}

  /// Refreshes due up to `at`.
  [[nodiscard]] std::int64_t due(Picoseconds at) const {
    return on_ && at >= interval_ ? intervals_.of(at) : 0;
  }
  /// First time from `at` on at which a command may go.
  [[nodiscard]] Picoseconds command(Picoseconds at) const {
    const std::int64_t passed = due(at);
    return passed == 0 ? at : std::max(at, passed * interval_ + commands_);
  }
  [[nodiscard]] Picoseconds useful(Picoseconds data) const {
    if (!on_ || data < first_) return data;
    const std::int64_t before = data_.of(data - first_);
    const Picoseconds into = data - first_ - before * interval_;
    return data - before * stop_ - std::min(into, stop_);
  }
  /// The time data that begin at `useful` begin: after a stop that falls on it.
  [[nodiscard]] Picoseconds begins(Picoseconds useful) const { return useful + stops(useful, 0); }
  /// The time data that end at `useful` end: before a stop that falls on it.
  [[nodiscard]] Picoseconds ends(Picoseconds useful) const { return useful + stops(useful, 1); }

 private:
  [[nodiscard]] Picoseconds stops(Picoseconds useful, std::int64_t early) const {
    if (!on_ || useful.count() < first_.count() + early) return {};
    return (1 + useful_.of(useful - first_ - Picoseconds{early})) * stop_;
  }

  /// Whole lengths in a time. Asked for times near each other, it seldom divides.
  class Lengths {
   public:
    explicit Lengths(Picoseconds length) : length_{length} {}
    std::int64_t of(Picoseconds at) const {
      if (at < from_ || at - from_ >= length_) {
        count_ = at.count() / length_.count();
        from_ = count_ * length_;
      }
      return count_;
    }

   private:
    Picoseconds length_;
    mutable Picoseconds from_{};
    mutable std::int64_t count_ = 0;
  };

  bool on_;
  Picoseconds interval_;
  Picoseconds commands_;  ///< from due to the next activate
  Picoseconds stop_;
  Picoseconds first_;  ///< data of the last command before the first refresh end here
  Lengths intervals_, data_, useful_;
};

}  // namespace reticle
