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
  /// `column` with banks refreshed in turn: as much longer as runs at random places become.
  static Picoseconds under_bank_refresh(const HbmParams& params, Access kind, Picoseconds column);
};

}  // namespace reticle
