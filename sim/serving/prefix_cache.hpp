// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include "sim/serving/serving_spec.hpp"

namespace reticle {

/// Prefix blocks of one replica whose keys and values are kept, and where. A block is held by the
/// sequences that use it, and stays, idle, when the last of them has gone, until it is evicted:
/// for good, or to the far tier.
///
/// A block's id stands for the whole prefix up to its end, so blocks form a tree. Whoever uses a
/// block uses those before it: only blocks without successors in their tier leave it, so a prefix
/// is a run of blocks at home, then perhaps a run of far ones.
class PrefixCache {
 public:
  using BlockId = std::uint64_t;
  using SessionId = std::uint64_t;

  /// Arriving: on its way home from the far tier, for those who hold it.
  enum class Place : std::uint8_t { Home, Arriving, Far };

  explicit PrefixCache(PrefixCachePolicy policy) : policy_{policy} {}

  /// The leading run of `blocks` that is kept.
  struct Match {
    std::size_t blocks = 0;  ///< at home, then far
    std::int64_t idle = 0;   ///< of these, at home and held by nobody
    std::int64_t far = 0;
    bool arriving = false;  ///< the block behind the run is on its way
  };
  [[nodiscard]] Match match(std::span<const BlockId> blocks) const;

  /// Takes hold of `blocks`, a whole prefix that is kept: a use of each. Far ones are on their way
  /// from now on.
  void hold(std::span<const BlockId> blocks, std::optional<SessionId> session = std::nullopt);
  /// Those of `blocks` that were on their way are at home.
  void arrive(std::span<const BlockId> blocks);
  /// Where a block that a sequence has computed was kept before.
  enum class Found : std::uint8_t { Nowhere, Home, Far };
  /// Takes hold of the last of `prefix`, the blocks before which the caller holds. It is at home
  /// from now on.
  Found hold_or_insert(std::span<const BlockId> prefix,
                       std::optional<SessionId> session = std::nullopt);
  /// Lets go of `blocks`, each held by the caller.
  void release(std::span<const BlockId> blocks);
  /// The session has asked for something.
  void touch(SessionId session);

  /// Removes the idle block at home that the policy names; there must be one.
  BlockId evict();
  /// Sends that block to the far tier instead.
  BlockId demote();
  /// Removes the block of the far tier that the policy names; there must be one.
  BlockId drop_far();

  [[nodiscard]] std::int64_t resident() const { return static_cast<std::int64_t>(nodes_.size()); }
  [[nodiscard]] std::int64_t idle() const { return idle_; }
  [[nodiscard]] std::int64_t far() const { return far_; }

 private:
  struct Node {
    BlockId id{};
    std::optional<BlockId> parent{};
    Place place = Place::Home;
    std::int64_t holders = 0;
    std::int64_t uses = 0;
    std::int64_t last_use = 0;
    std::int64_t depth = 0;   ///< blocks before it
    std::int64_t credit = 0;  ///< size-age: what it is worth since its last use
    std::optional<SessionId> session{};
    std::int64_t near_children = 0, far_children = 0;  ///< not far, far
  };
  struct Session {
    std::int64_t last_use = 0;
    std::set<BlockId> leaves;  ///< of those that may go
  };
  /// In the order of eviction: what the policy says, age.
  using Rank = std::tuple<std::int64_t, std::int64_t, BlockId>;

  [[nodiscard]] Rank rank(const Node& node) const;
  [[nodiscard]] std::set<Rank>* list_of(const Node& node);
  void list(const Node& node);
  void unlist(const Node& node);
  void count(const Node& node, std::int64_t by);
  /// Applies `change` to a node and keeps the lists and sums right.
  template <class Change>
  void update(Node& node, Change change);
  void put(Node& node, Place place);
  void count_child(const Node& node, std::int64_t by);
  void use(Node& node, std::optional<SessionId> session);
  Node& first_to_go(const std::set<Rank>& list);
  BlockId remove(Node& node);

  PrefixCachePolicy policy_;
  std::int64_t clock_ = 0;
  std::int64_t inflation_ = 0;  ///< size-age: credit of what was evicted last
  std::unordered_map<BlockId, Node> nodes_;
  std::unordered_map<SessionId, Session> sessions_;
  std::set<Rank> home_leaves_, far_leaves_;
  std::int64_t idle_ = 0, far_ = 0;
};

}  // namespace reticle
