// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

namespace reticle {

/// Which idle block goes first when room is wanted.
enum class EvictionPolicy : std::uint8_t {
  Lru,  ///< the one used longest ago
  Lfu,  ///< the one used least often since it came; of equals the one used longest ago
};

/// Prefix blocks of one replica whose keys and values are in the cache. A block is held by the
/// sequences that use it, and stays, idle, when the last of them has gone, until it is evicted.
///
/// A block's id stands for the whole prefix up to its end, so blocks form a tree. Whoever uses a
/// block uses those before it: none is evicted before its successors.
class PrefixCache {
 public:
  using BlockId = std::uint64_t;

  explicit PrefixCache(EvictionPolicy policy) : policy_{policy} {}

  /// Length of the leading run of `blocks` that is resident, and how many of these are idle.
  struct Match {
    std::size_t blocks = 0;
    std::int64_t idle = 0;
  };
  [[nodiscard]] Match match(std::span<const BlockId> blocks) const;

  /// Takes hold of `blocks`, a whole prefix that is resident: a use of each.
  void hold(std::span<const BlockId> blocks);
  /// Takes hold of the block behind `before` blocks that the caller holds; false: it was not
  /// resident and is now.
  bool hold_or_insert(BlockId block, std::size_t before);
  /// Lets go of `blocks`, each held by the caller.
  void release(std::span<const BlockId> blocks);
  /// Removes the idle block that the policy names; there must be one.
  void evict();

  [[nodiscard]] std::int64_t resident() const { return static_cast<std::int64_t>(nodes_.size()); }
  [[nodiscard]] std::int64_t idle() const { return static_cast<std::int64_t>(idle_.size()); }

 private:
  struct Node {
    std::int64_t holders = 0;
    std::int64_t uses = 0;
    std::int64_t last_use = 0;
    std::int64_t depth = 0;  ///< blocks before it
  };
  /// In the order of eviction: uses (LFU), age, the deepest first.
  using Rank = std::tuple<std::int64_t, std::int64_t, std::int64_t, BlockId>;
  [[nodiscard]] Rank rank(BlockId id, const Node& node) const;
  void use(BlockId id, Node& node);

  EvictionPolicy policy_;
  std::int64_t clock_ = 0;
  std::unordered_map<BlockId, Node> nodes_;
  std::set<Rank> idle_;
};

}  // namespace reticle
