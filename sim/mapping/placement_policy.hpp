// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "models/program/program.hpp"
#include "sim/base/adapter_spec.hpp"

namespace reticle {

/// Who decides which routed experts are in SRAM.
enum class ExpertCachePolicy : std::uint8_t {
  Static,  ///< popularity, once and for all
  Lru,     ///< use: those longest unused make room
  Lfu,     ///< use: those least often used make room
};
/// Experts that are brought into SRAM before the router has asked for them.
enum class ExpertPrefetch : std::uint8_t { None, PreviousLayer };
/// How the experts of a layer are dealt to expert groups.
enum class ExpertBalance : std::uint8_t {
  Contiguous,  ///< by number
  Greedy,      ///< the hottest first, each to the group with the least expected load
};

/// How the dies of a replica share the cache of latent attention, which is one for all heads.
enum class LatentCache : std::uint8_t {
  Cut,     ///< by context: queries are gathered, partial results merged
  Copied,  ///< each die has all of it and its share of the heads, as GPU serving stacks do
};

/// What the user may fix about where things live; what is left open, mapping decides.
struct PlacementPolicy {
  /// Share of the active weight bytes of a token (expected over routing) to hold in SRAM, hottest
  /// first; nullopt = as much as fits. [seed paper section 3.2: SRAM fraction 0-100 % of W_active]
  std::optional<double> sram_fraction;
  std::optional<std::int64_t> tensor_parallel;    ///< dies that share one attention replica
  std::optional<std::int64_t> expert_parallel;    ///< groups the experts of a layer are dealt to
  std::optional<std::int64_t> pipeline_parallel;  ///< stages of consecutive layers
  std::optional<std::int64_t> microbatches;       ///< of a step, in a plan of several stages
  /// Batch and context the parallelism is chosen for; nullopt = those of the workload.
  std::optional<std::int64_t> plan_batch;
  std::optional<std::int64_t> plan_context;
  /// Share of `sram_fraction` that routed experts get before anything else; nullopt = hottest
  /// first, which leaves them what attention and shared experts, asked for by every token, do not
  /// need.
  std::optional<double> sram_expert_share;
  ExpertCachePolicy expert_cache = ExpertCachePolicy::Static;
  ExpertPrefetch expert_prefetch = ExpertPrefetch::None;
  ExpertBalance expert_balance = ExpertBalance::Contiguous;
  std::int64_t redundant_experts = 0;  ///< of each layer: so many have a copy in a second group
  /// All-reduces add in the order of the dies' numbers, whatever the size: the same tokens give the
  /// same bits in any batch.
  bool rank_order = false;
  LatentCache latent_cache = LatentCache::Cut;
  /// Products are computed in tiles of so many rows, the last one filled up, so that a token's sums
  /// hang on no other's; 0: in as many rows as there are tokens. [He+ 2025, batch invariance]
  std::int64_t invariant_rows = 0;
  bool far_weights = false;  ///< let weights that fit nowhere else live behind the host link
  /// Share of the KV tier's free space given to KV; the rest stays empty (fragmentation).
  double kv_share = 0.95;  // default, chosen
  /// Share of the SRAM free after weights given to KV pages where the KV tier is HBM.
  double kv_sram_share = 0;
  /// Bytes per die, by Tier, that something else has: a second model on the same dies.
  std::array<std::int64_t, kTierCount> taken{};
  std::optional<AdapterSpec> adapters{};  ///< that need room beside the model
};

}  // namespace reticle
