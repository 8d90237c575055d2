// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace reticle {

/// What the user may fix about where things live; what is left open, mapping decides.
struct PlacementPolicy {
  /// Share of the active weight bytes of a token (expected over routing) to hold in SRAM, hottest
  /// first; nullopt = as much as fits. [seed paper section 3.2: SRAM fraction 0-100 % of W_active]
  std::optional<double> sram_fraction;
  std::optional<std::int64_t> tensor_parallel;    ///< dies that share one attention replica
  std::optional<std::int64_t> expert_parallel;    ///< groups the experts of a layer are dealt to
  std::optional<std::int64_t> pipeline_parallel;  ///< stages of consecutive layers
  /// Batch and context the parallelism is chosen for; nullopt = those of the workload.
  std::optional<std::int64_t> plan_batch;
  std::optional<std::int64_t> plan_context;
  bool far_weights = false;  ///< let weights that fit nowhere else live behind the host link
  /// Share of the KV tier's free space given to KV; the rest stays empty (fragmentation).
  double kv_share = 0.95;
  /// Bytes per die, by Tier, that something else has: a second model on the same dies.
  std::array<std::int64_t, 3> taken{};
};

}  // namespace reticle
