// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/base/cache_stage.hpp"
#include "sim/base/units.hpp"
#include "sim/serving/prefix_cache.hpp"
#include "sim/serving/serving_spec.hpp"

namespace reticle {

/// Room the placement left for keys and values.
struct KvCapacity {
  std::int64_t page_tokens = 1;
  Bytes page_bytes{};      ///< of one page, all dies together
  std::int64_t pages = 0;  ///< per replica
  std::int64_t replicas = 1;
  std::int64_t dies = 1;             ///< per replica and stage
  std::vector<CacheStage> stages{};  ///< per die; empty: one stage of so many pages
};

/// How prefixes are kept. Blocks are those of the trace; whole pages of them are shared.
struct PrefixSharing {
  std::int64_t block_tokens = 0;  ///< 0: nothing is shared; else a multiple of the page's tokens
  EvictionPolicy eviction = EvictionPolicy::Lru;
};

/// What a sequence has of a replica's cache. Given by KvManager, changed by it alone.
struct KvLease {
  std::int32_t replica = 0;
  std::span<const PrefixCache::BlockId> blocks{};  ///< of its prompt, the full ones
  std::int64_t shared = 0;                         ///< leading blocks it holds in common
  std::int64_t booked = 0;                         ///< tokens there is room for
  std::int64_t filled = 0;                         ///< tokens written or found
};

/// Books pages of the KV cache per replica: for sequences, whole pages for as many tokens as they
/// were given room for; for prefix blocks in the cache, once for all that use them. Blocks nobody
/// uses stay until their room is wanted.
///
/// Models:     paging, sharing of full prompt blocks, eviction, replicas; what is booked apart from
///             what tokens really fill.
/// Leaves out: sharing where layers keep windows or states (a prefix would need a copy of them at
///             its end), spilling to further tiers. Part-filled blocks are not shared, so nothing
///             is ever copied on a write.
class KvManager {
 public:
  explicit KvManager(const KvCapacity& capacity, const PrefixSharing& sharing = {});

  /// Pages that `tokens` tokens need.
  [[nodiscard]] std::int64_t pages_for(std::int64_t tokens) const;
  /// Whether a sequence of `tokens` fits an empty replica.
  [[nodiscard]] bool ever_fits(std::int64_t tokens) const;
  /// Whether layers keep nothing but pages, and prefixes are shared.
  [[nodiscard]] bool shares() const { return sharing_.block_tokens > 0; }

  /// Room for `tokens` on the replica that has most of the prompt, of equals the one with most
  /// room; on the next one where that is full, leaving a share `headroom` of its room
  /// free where it has other sequences. What is
  /// found of the `prompt` tokens is filled already, but for the last: some token must be computed
  /// to yield the next. nullopt when no replica has room.
  std::optional<KvLease> admit(std::span<const PrefixCache::BlockId> blocks, std::int64_t prompt,
                               std::int64_t tokens, double headroom = 0);
  /// Room for `tokens` tokens in all; false, and nothing changed, when there is none.
  bool grow(KvLease& lease, std::int64_t tokens);
  /// The sequence has `tokens` tokens now; prompt blocks that are full are shared from here on.
  void fill(KvLease& lease, std::int64_t tokens);
  /// Gives back everything; prompt blocks stay in the cache.
  void release(const KvLease& lease);

  /// Bytes of keys, values and states of a sequence of `tokens`, all dies of a replica together.
  [[nodiscard]] Bytes held(std::int64_t tokens) const;
  [[nodiscard]] Bytes reserved() const;  ///< booked for sequences, shared blocks once
  [[nodiscard]] Bytes cached() const;    ///< of blocks that nobody uses
  [[nodiscard]] Bytes used() const;      ///< tokens written, by the byte, idle blocks included
  [[nodiscard]] Bytes capacity() const;
  [[nodiscard]] const KvCapacity& room() const { return capacity_; }
  [[nodiscard]] const PrefixStats& prefix_stats() const { return stats_; }
  [[nodiscard]] Bytes block_bytes() const;  ///< of one block, all dies

 private:
  struct Replica {
    std::vector<std::int64_t> booked;  ///< bytes per stage, of one die, idle blocks included
    Bytes filled{};                    ///< all dies, idle blocks included
    PrefixCache prefixes;
  };
  [[nodiscard]] std::int64_t own(const CacheStage& stage, std::int64_t tokens,
                                 std::int64_t shared) const;
  [[nodiscard]] std::int64_t block(const CacheStage& stage) const;
  [[nodiscard]] std::optional<std::int64_t> evictions_for(const Replica& replica,
                                                          const std::vector<std::int64_t>& wanted,
                                                          std::int64_t kept, double headroom) const;
  void evict(Replica& replica, std::int64_t blocks);
  void give_back_block(Replica& replica);
  [[nodiscard]] std::int64_t booked(const Replica& replica) const;

  KvCapacity capacity_;
  PrefixSharing sharing_;
  std::vector<Replica> replicas_;
  PrefixStats stats_;
};

}  // namespace reticle
