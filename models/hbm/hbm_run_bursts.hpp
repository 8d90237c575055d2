// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/hbm/hbm_geometry.hpp"
#include "models/hbm/hbm_map.hpp"
#include "models/memory/memory_spec.hpp"

namespace reticle {

/// The bursts of a run on one pseudo-channel, in the order in which a controller is handed them.
class HbmRunBursts {
 public:
  explicit HbmRunBursts(const HbmParams& params)
      : map_{params},
        geometry_{params},
        burst_{params.burst.count()},
        capacity_{params.capacity_per_stack.count() / params.pseudo_channels} {}

  [[nodiscard]] std::int64_t count(const MemoryRun& run) const;
  /// The `i`-th burst of a run: of scattered pieces, at a place drawn from run and piece.
  [[nodiscard]] HbmPlace place(const MemoryRun& run, std::int64_t i) const;
  /// Per bank the row in which a contiguous run was last; -1: in none.
  [[nodiscard]] std::vector<std::int32_t> rows_at_end(const MemoryRun& run) const;

 private:
  [[nodiscard]] static bool contiguous(const MemoryRun& run) {
    return run.piece.count() <= 0 || run.piece >= run.bytes;
  }

  const HbmMap map_;
  const HbmGeometry geometry_;
  const std::int64_t burst_, capacity_;  ///< bytes
};

}  // namespace reticle
