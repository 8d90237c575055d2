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
        first_{t.t_refi + t.t_cl} {}

  /// Refreshes due up to `at`.
  [[nodiscard]] std::int64_t due(Picoseconds at) const {
    return on_ ? std::max<std::int64_t>(0, at.count() / interval_.count()) : 0;
  }
  /// First time from `at` on at which a command may go.
  [[nodiscard]] Picoseconds command(Picoseconds at) const {
    const std::int64_t passed = due(at);
    return passed == 0 ? at : std::max(at, passed * interval_ + commands_);
  }
  [[nodiscard]] Picoseconds useful(Picoseconds data) const {
    if (!on_ || data < first_) return data;
    const std::int64_t before = (data - first_).count() / interval_.count();
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
    const std::int64_t since = useful.count() - early - first_.count();
    return (1 + since / (interval_ - stop_).count()) * stop_;
  }

  bool on_;
  Picoseconds interval_;
  Picoseconds commands_;  ///< from due to the next activate
  Picoseconds stop_;
  Picoseconds first_;  ///< data of the last command before the first refresh end here
};

}  // namespace reticle
