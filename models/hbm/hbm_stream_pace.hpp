// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/hbm/hbm_spec.hpp"
#include "models/memory/memory_spec.hpp"

namespace reticle {

/// Burst to burst of a stream whose queue is never dry, timed once on the command-level controller:
/// what rows side by side and banks under refresh cost depends on which bursts fill the queue, and
/// no closed form of it was found that holds for all maps (docs/models/hbm.md).
struct HbmStreamPace {
  /// Without refresh, in sequence.
  static Picoseconds column(const HbmParams& params, Access kind);
  /// `column` with banks refreshed in turn: as much longer as short runs at random places become.
  static Picoseconds under_bank_refresh(const HbmParams& params, Access kind, Picoseconds column);
  /// Of long runs at random places, in step with refresh as it is set; stops for all banks taken
  /// off.
  static Picoseconds of_long_runs(const HbmParams& params, Access kind);
  /// Likewise while bursts of the other direction that came before them wait in their queue: the
  /// mean over what the others may have left there.
  static Picoseconds of_long_runs_beside(const HbmParams& params, Access kind);
  /// Long runs go at much the pace of short ones. Elsewhere they fall into step with per-bank
  /// refresh sooner or later, or out of it, and have no one pace.
  static bool steady(const HbmParams& params);
};

}  // namespace reticle
