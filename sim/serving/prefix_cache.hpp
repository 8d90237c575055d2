// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include "sim/serving/serving_spec.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// Prefix blocks of one replica whose keys and values are kept, and where. A block is held by the
/// sequences that use it, and stays, idle, when the last of them has gone, until it is evicted:
/// for good, or to a place further from home.
///
/// A block's id stands for the whole prefix up to its end, so blocks form a tree. Whoever uses a
/// block uses those before it: only blocks without successors in their place leave it, so a prefix
/// is a run of blocks at home, then perhaps a run of far ones, then one in flash.
class PrefixCache {
 public:
  using BlockId = std::uint64_t;
  using SessionId = std::uint64_t;

  explicit PrefixCache(PrefixCachePolicy policy) : policy_{policy} {}

  /// The leading run of `blocks` that is kept.
  struct Match {
    std::size_t blocks = 0;
    ByPlace<std::int64_t> in{};  ///< of these, by where they are
    std::int64_t idle = 0;       ///< of those at home, held by nobody
    bool arriving = false;       ///< the block behind the run is on its way
    [[nodiscard]] std::int64_t behind() const {
      return static_cast<std::int64_t>(blocks) - in[KvPlace::Home];
    }
  };
  [[nodiscard]] Match match(std::span<const BlockId> blocks) const;

  /// Takes hold of `blocks`, a whole prefix that is kept: a use of each. Those behind home are on
  /// their way there from now on.
  void hold(std::span<const BlockId> blocks, std::optional<SessionId> session = std::nullopt);
  /// Those of `blocks` that were on their way are at home.
  void arrive(std::span<const BlockId> blocks);
  /// Takes hold of the last of `prefix`, computed by the caller, who holds the blocks before it. It
  /// is at home from now on; returned is where it was kept already.
  std::optional<KvPlace> hold_or_insert(std::span<const BlockId> prefix,
                                        std::optional<SessionId> session = std::nullopt);
  /// Lets go of `blocks`, each held by the caller.
  void release(std::span<const BlockId> blocks);
  /// The session has asked for something.
  void touch(SessionId session);

  /// The idle block that the policy lets go from `place`; there must be one.
  [[nodiscard]] BlockId next_to_go(KvPlace place) const;
  /// Puts that block into a place further from home.
  void send(BlockId id, KvPlace to);
  /// Removes that block.
  void drop(BlockId id);

  /// Blocks in all; of these, at home and held by nobody; of these, in a place, those that are on
  /// their way there included.
  [[nodiscard]] std::int64_t resident() const { return static_cast<std::int64_t>(nodes_.size()); }
  [[nodiscard]] std::int64_t idle() const { return idle_; }
  [[nodiscard]] std::int64_t in(KvPlace place) const { return in_[place]; }

 private:
  struct Node {
    BlockId id{};
    std::optional<BlockId> parent{};
    KvPlace place = KvPlace::Home;
    bool arriving = false;  ///< on its way home, for those who hold it
    std::int64_t holders = 0;
    std::int64_t uses = 0;
    std::int64_t last_use = 0;
    std::int64_t depth = 0;   ///< blocks before it
    std::int64_t credit = 0;  ///< size-age: what it is worth since its last use
    std::optional<SessionId> session{};
    ByPlace<std::int64_t> children{};
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
  void put(Node& node, KvPlace place);
  void count_child(const Node& node, std::int64_t by);
  void use(Node& node, std::optional<SessionId> session);
  void leaves(const Node& node);

  PrefixCachePolicy policy_;
  std::int64_t clock_ = 0;
  std::int64_t inflation_ = 0;  ///< size-age: credit of what was evicted last
  std::unordered_map<BlockId, Node> nodes_;
  std::unordered_map<SessionId, Session> sessions_;
  ByPlace<std::set<Rank>> leaves_;  ///< those that may go
  std::int64_t idle_ = 0;
  ByPlace<std::int64_t> in_{};
};

}  // namespace reticle
