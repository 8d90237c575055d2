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
/// block uses those before it: only blocks without successors in their place leave it, and none
/// comes into SRAM before those that it continues, so a prefix is a run of blocks in SRAM, then
/// perhaps a run of blocks at home, of far ones, and one in flash.
class PrefixCache {
 public:
  using BlockId = std::uint64_t;
  using SessionId = std::uint64_t;

  explicit PrefixCache(PrefixCachePolicy policy) : policy_{policy} {}

  /// The leading run of `blocks` that is kept.
  struct Match {
    std::size_t blocks = 0;
    ByPlace<std::int64_t> in{};    ///< of these, by where they are
    ByPlace<std::int64_t> idle{};  ///< of these, held by nobody
    bool arriving = false;         ///< the block behind the run is on its way
    [[nodiscard]] std::int64_t here() const { return in[KvPlace::Near] + in[KvPlace::Home]; }
    [[nodiscard]] std::int64_t behind() const { return static_cast<std::int64_t>(blocks) - here(); }
  };
  [[nodiscard]] Match match(std::span<const BlockId> blocks) const;

  /// Takes hold of `blocks`, a whole prefix that is kept: a use of each. Those behind home are on
  /// their way from now on, the first `to_near` of them into SRAM, the others home.
  void hold(std::span<const BlockId> blocks, std::optional<SessionId> session = std::nullopt,
            std::int64_t to_near = 0);
  /// Those of `blocks` that were on their way are here.
  void arrive(std::span<const BlockId> blocks);
  /// Takes hold of the last of `prefix`, computed by the caller, who holds the blocks before it and
  /// has it in `place`. It is there from now on, or where it was kept already if that is nearer;
  /// returned is where it was kept.
  std::optional<KvPlace> hold_or_insert(std::span<const BlockId> prefix,
                                        std::optional<SessionId> session = std::nullopt,
                                        KvPlace place = KvPlace::Home);
  /// Puts a block that is at home into SRAM, where those before it are; false: it is just on its
  /// way.
  bool raise(BlockId id);
  /// Of `blocks`, which are kept, those in a place.
  [[nodiscard]] std::int64_t in(std::span<const BlockId> blocks, KvPlace place) const;
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

  /// Blocks in all; of these, at hand and held by nobody; of these, in a place, those that are on
  /// their way there included.
  [[nodiscard]] std::int64_t resident() const { return static_cast<std::int64_t>(nodes_.size()); }
  [[nodiscard]] std::int64_t idle() const { return idle(KvPlace::Near) + idle(KvPlace::Home); }
  [[nodiscard]] std::int64_t idle(KvPlace place) const { return idle_[place]; }
  [[nodiscard]] std::int64_t in(KvPlace place) const { return in_[place]; }

 private:
  struct Node {
    BlockId id{};
    std::optional<BlockId> parent{};
    KvPlace place = KvPlace::Home;
    bool arriving = false;  ///< on its way here, for those who hold it
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
  ByPlace<std::int64_t> idle_{}, in_{};
};

}  // namespace reticle
