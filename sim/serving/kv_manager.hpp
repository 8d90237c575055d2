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
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// Room the placement left for keys and values.
struct KvCapacity {
  std::int64_t page_tokens = 1;
  Bytes page_bytes{};            ///< of one page, all dies together
  std::int64_t pages = 0;        ///< per replica
  std::int64_t far_pages = 0;    ///< likewise, behind the host link
  std::int64_t flash_pages = 0;  ///< likewise
  std::int64_t near_pages = 0;   ///< likewise of SRAM, beside `pages` in HBM
  std::int64_t replicas = 1;
  std::int64_t dies = 1;             ///< per replica and stage
  std::vector<CacheStage> stages{};  ///< per die; empty: one stage of so many pages
};

/// How prefixes are kept.
struct PrefixSharing {
  std::int64_t block_tokens = 0;  ///< 0: nothing is shared; else a multiple of the page's tokens
  PrefixCachePolicy eviction = PrefixCachePolicy::Lru;
  KvPlace deepest = KvPlace::Home;  ///< idle blocks go down as far when their room is wanted
};

/// What a sequence asks of the cache.
struct KvAsk {
  std::span<const PrefixCache::BlockId> blocks{};
  std::int64_t prompt = 0;  ///< tokens to be computed or found
  std::int64_t known = 0;   ///< tokens whose blocks have ids, where these are more than the prompt
  std::int64_t tokens = 0;  ///< tokens to have room for, at least `prompt`
  double headroom = 0;      ///< share of the room left free where there are other sequences
  std::optional<std::uint64_t> session{};
};

/// A sequence's cache that stands in the far tier of a replica, whole.
struct KvImage {
  std::int32_t replica = 0;
  std::int64_t tokens = 0;  ///< 0: there is none
};

/// What a sequence has of a replica's cache. Given by KvManager, changed by it alone.
struct KvLease {
  std::int32_t replica = 0;
  std::span<const PrefixCache::BlockId> blocks{};  ///< of what is known of it, the full ones
  std::optional<std::uint64_t> session{};
  std::int64_t shared = 0;  ///< leading blocks it holds in common
  std::int64_t booked = 0;  ///< tokens there is room for
  std::int64_t filled = 0;  ///< tokens written or found
  /// In SRAM are the first pages of a sequence: so many of `shared`, and where these are all, so
  /// many pages of its own.
  std::int64_t near_shared = 0, near_own = 0;
  std::int64_t counted = 0;  ///< at which Replica::raised the former were counted
  bool arriving = false;     ///< some are on their way here
  KvImage image{};           ///< which of them come from
};

/// Books pages of the KV cache per replica: for sequences, whole pages for as many tokens as they
/// were given room for; for prefix blocks in the cache, once for all that use them. Blocks nobody
/// uses stay until their room is wanted, and then go to the far tier where that is asked for, as
/// do the caches of sequences that are swapped out; what has to leave there goes on to the flash.
///
/// Where home is HBM and SRAM has room beside it (near), the first pages of a sequence are there,
/// as many as find room: every page that is filled is read in every step, so that which ones they
/// are does not matter. Blocks nobody uses leave it, homewards, for those of sequences that run.
///
/// A block has, beside its pages, what windows keep of its tokens and the states at its end (that
/// is how hybrid models share prefixes in vLLM and SGLang). A sequence goes on writing its own
/// states: they are copied as a block ends, and from the block when another sequence continues it.
/// Where there is no room for that a sequence shares no more than it found.
///
/// Models:     paging, sharing of full prompt blocks, copies of states on a write, eviction,
///             replicas, a chain of tiers with moves between them; what is booked apart from what
///             tokens really fill.
/// Leaves out: sharing of windows and states beside an SRAM tier. A sequence's window stands apart
///             from those of the blocks it holds, though the pages could be the same. Part-filled
///             blocks are not shared. What moves has left its old place at once: the step that
///             moves it reads it first. Windows and states are never near.
class KvManager {
 public:
  explicit KvManager(const KvCapacity& capacity, const PrefixSharing& sharing = {});

  /// Pages that `tokens` tokens need.
  [[nodiscard]] std::int64_t pages_for(std::int64_t tokens) const;
  /// Whether a sequence of `tokens` fits an empty replica.
  [[nodiscard]] bool ever_fits(std::int64_t tokens) const;
  /// Whether prefixes are shared.
  [[nodiscard]] bool shares() const { return sharing_.block_tokens > 0; }

  /// Room on the replica that has most of the prompt, of equals the one with most room; on the next
  /// one where that is full. What is found of the prompt is filled already, but for the last token:
  /// some must be computed to yield the next; where some is found behind home, the lease is
  /// arriving. nullopt when no replica has room, or more of the prompt is just on its way.
  std::optional<KvLease> admit(const KvAsk& ask);
  /// Brings blocks of the prompt home, as many as fit beside what is in use: idle ones make way. A
  /// lease of these alone, arriving. nullopt: there is nothing to do.
  std::optional<KvLease> prefetch(const KvAsk& ask);
  /// Copies the sequence's cache to the far tier, for it to be released; nullopt: no room there.
  std::optional<KvImage> swap_out(const KvLease& lease);
  /// Room for a sequence whose cache is far; the lease is arriving. nullopt: there is none.
  std::optional<KvLease> swap_in(const KvAsk& ask, const KvImage& image);
  /// Gives up a cache in the far tier.
  void drop(const KvImage& image);
  /// What the lease waited for has come.
  void arrive(KvLease& lease);
  /// Room for `tokens` tokens in all; false, and nothing changed, when there is none.
  bool grow(KvLease& lease, std::int64_t tokens);
  /// The sequence has `tokens` tokens now; prompt blocks that are full are shared from here on.
  void fill(KvLease& lease, std::int64_t tokens);
  /// Moves pages of the sequence into SRAM as far as there is room, of those that its first
  /// `tokens` tokens fill: what they hold is read in this step where it was.
  void promote(KvLease& lease, std::int64_t tokens);
  /// Of the first `tokens` tokens of the sequence those in SRAM.
  std::int64_t near_tokens(KvLease& lease, std::int64_t tokens) const;
  /// Gives back everything; prompt blocks stay in the cache.
  void release(const KvLease& lease);
  /// A request of the session has come or gone.
  void touch(std::uint64_t session);

  /// What has to change place since this was last asked, added up by replica and way.
  std::vector<KvMove> take_moves();
  /// Time goes on to `now`, with all as it is.
  void pass_time(Picoseconds now);

  /// Bytes of keys, values and states of a sequence of `tokens`, all dies of a replica together; of
  /// these, those in pages.
  [[nodiscard]] Bytes held(std::int64_t tokens) const;
  [[nodiscard]] Bytes paged(std::int64_t tokens) const;
  [[nodiscard]] Bytes reserved() const;             ///< booked for sequences, shared blocks once
  [[nodiscard]] Bytes cached() const;               ///< of blocks that nobody uses
  [[nodiscard]] Bytes cached(KvPlace place) const;  ///< of these, in a place at hand
  [[nodiscard]] Bytes used() const;       ///< tokens written, by the byte, idle blocks included
  [[nodiscard]] Bytes used_near() const;  ///< of these, in SRAM
  [[nodiscard]] Bytes resident(KvPlace place) const;
  [[nodiscard]] Bytes capacity(KvPlace place = KvPlace::Home) const;
  [[nodiscard]] const KvCapacity& room() const { return capacity_; }
  [[nodiscard]] const PrefixStats& prefix_stats() const { return stats_; }
  [[nodiscard]] const KvTierStats& tier_stats(KvPlace place) const { return tiers_[place]; }
  [[nodiscard]] const PrefixCache& prefixes(std::int32_t replica) const {
    return replicas_[static_cast<std::size_t>(replica)].prefixes;
  }
  [[nodiscard]] Bytes block_bytes() const;  ///< of one block, all dies

 private:
  using Sizes = std::vector<std::int64_t>;  ///< bytes of one die, per stage
  struct Replica {
    ByPlace<Sizes> booked;  ///< idle blocks included
    Bytes filled{};         ///< at hand, all dies, idle blocks included
    PrefixCache prefixes;
    ByPlace<ByPlace<Bytes>> moves{};  ///< from there to there, not asked for yet
    Bytes near_own{};                 ///< filled in SRAM by what sequences have for themselves
    std::int64_t raised = 0;          ///< blocks that came from home into SRAM
  };
  struct Candidate {
    std::int32_t replica;
    PrefixCache::Match match;
    std::int64_t booked;
  };
  /// Room at hand.
  struct Wanted {
    Sizes sizes;
    std::int64_t near = 0;         ///< pages of it that may be in SRAM
    std::int64_t near_before = 0;  ///< pages that are there already, before these
    std::int64_t in_blocks = 0;    ///< of all these pages, the first so many are, or become, blocks
    ByPlace<std::int64_t> kept{};  ///< idle blocks that make no way
    double headroom = 0;
  };
  /// Where it is found, and the idle blocks that make way.
  struct Room {
    std::int64_t near = 0;  ///< pages
    Sizes home;
    ByPlace<std::int64_t> evictions{};
  };
  [[nodiscard]] KvLease lease_of(const KvAsk& ask) const;
  [[nodiscard]] std::span<const PrefixCache::BlockId> of_prompt(const KvLease& lease,
                                                                std::int64_t tokens) const;
  [[nodiscard]] std::vector<Candidate> candidates(
      std::span<const PrefixCache::BlockId> blocks) const;
  [[nodiscard]] Sizes sizes(std::int64_t tokens, std::int64_t shared = 0,
                            std::int64_t to_be = 0) const;
  [[nodiscard]] Sizes sizes(const KvLease& lease, std::int64_t tokens) const;
  [[nodiscard]] std::int64_t block(const CacheStage& stage) const;
  [[nodiscard]] bool has_snapshots() const { return over_dies(snapshot_).count() > 0; }
  [[nodiscard]] Bytes in_blocks(std::int64_t blocks) const;
  void copy_states(Replica& replica);
  bool forgo(Replica& replica, KvLease& lease);
  [[nodiscard]] std::optional<std::int64_t> evictions_for(const Replica& replica,
                                                          const Sizes& wanted, std::int64_t kept,
                                                          double headroom) const;
  [[nodiscard]] std::optional<Room> room_for(const Replica& replica, const Wanted& wanted) const;
  [[nodiscard]] std::optional<Room> room_for(const Replica& replica, Wanted wanted,
                                             std::int64_t near_wish) const;
  [[nodiscard]] std::int64_t near_available(const Replica& replica, std::int64_t kept) const;
  [[nodiscard]] std::int64_t whole_blocks(std::int64_t pages, std::int64_t in_blocks) const;
  [[nodiscard]] std::int64_t own_pages(const KvLease& lease, std::int64_t tokens) const;
  [[nodiscard]] std::int64_t block_pages_to_be(const KvLease& lease) const;
  [[nodiscard]] Bytes own_near(const KvLease& lease, std::int64_t tokens) const;
  [[nodiscard]] Sizes pages(std::int64_t count) const;
  void recount(KvLease& lease) const;
  bool raise_shared(Replica& replica, KvLease& lease);
  void take_near(Replica& replica, const Sizes& sizes, std::int64_t count);
  void book(Replica& replica, const Room& room);
  void take(Replica& replica, KvPlace place, const Sizes& sizes);
  enum class Leaves : std::uint8_t { Freed, Evicted };
  void give(Replica& replica, KvPlace place, const Sizes& sizes, Leaves how);
  void move(Replica& replica, KvPlace from, KvPlace to, Bytes bytes);
  void hold(Replica& replica, KvLease& lease, const PrefixCache::Match& match,
            std::int64_t to_near = 0);
  void evict(Replica& replica, KvPlace place, std::int64_t blocks);
  void send_down(Replica& replica, KvPlace from, PrefixCache::BlockId id);
  [[nodiscard]] bool make_room(Replica& replica, KvPlace place, const Sizes& wanted,
                               std::optional<PrefixCache::BlockId> newcomer);
  [[nodiscard]] Bytes over_dies(const Sizes& sizes) const;

  KvCapacity capacity_;
  PrefixSharing sharing_;
  Sizes block_;     ///< of one, snapshot included
  Sizes snapshot_;  ///< of that, what is beside pages
  std::int64_t block_pages_ = 1;
  std::int64_t near_pages_ = 0;  ///< of a replica
  /// Of a token, all dies of a replica together, where every token takes as much.
  std::optional<Bytes> token_bytes_;
  std::vector<Replica> replicas_;
  PrefixStats stats_;
  ByPlace<KvTierStats> tiers_{};
  Picoseconds now_{};
};

}  // namespace reticle
