// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "sim/mapping/placement_policy.hpp"

namespace reticle {

/// A routed expert in SRAM, at the address of the die's shard.
struct CachedExpert {
  std::int32_t expert = 0;
  std::int64_t address = 0;
};

/// Which routed experts of one layer are in SRAM on the dies of one expert group: all of them have
/// the same. Weights are clean: what makes room is forgotten. Every layer has room of its own
/// [Eliseev and Mazur 2023, arXiv 2312.17238]: in room for all, what a layer has brought in would
/// be gone by the next step, as all other layers come between.
///
/// Models:     LRU, and LFU that counts the uses of absent experts too and lets none in that is
///             used less than all who are there. The picks of a layer are one reference, as the
///             router names them at once: none is evicted by another before it is used. Both are
///             stack algorithms (Mattson+, IBM Systems J. 9(2), 1970): a larger cache holds all
///             that a smaller one does.
/// Leaves out: the time a fill takes (later references find it done), uses that weigh by their
///             tokens.
class ExpertCache {
 public:
  /// `held`: what is there at first, hottest first; it has room for as many from then on.
  ExpertCache(ExpertCachePolicy policy, std::int64_t experts, std::span<const CachedExpert> held);

  struct Use {
    bool hit = false;
    bool prefetched = false;                ///< hit, and brought in since the last reference
    std::optional<std::int64_t> address{};  ///< hit: where it is; miss: where it goes, if anywhere
  };
  /// The picks of a step or microbatch, distinct. Valid until the next call.
  std::span<const Use> refer(std::span<const std::int32_t> picks);

  /// Brings those of `wanted` in that are absent, as far as there is room beside the others of
  /// them; returns them. No use is counted.
  std::vector<CachedExpert> prefetch(std::span<const std::int32_t> wanted);

  [[nodiscard]] bool holds(std::int32_t expert) const { return entry(expert).address.has_value(); }
  [[nodiscard]] std::size_t room() const { return room_; }

 private:
  /// Who makes room first is less.
  struct Rank {
    std::int64_t uses = 0;  ///< LFU alone
    std::int64_t last = 0;  ///< use, as a running number
    std::int32_t expert = 0;
    auto operator<=>(const Rank&) const = default;
  };
  struct Entry {
    std::int64_t uses = 0, last = 0;
    bool prefetched = false;
    std::optional<std::int64_t> address{};
  };

  [[nodiscard]] const Entry& entry(std::int32_t expert) const {
    return entries_[static_cast<std::size_t>(expert)];
  }
  Entry& entry(std::int32_t expert) { return entries_[static_cast<std::size_t>(expert)]; }
  [[nodiscard]] Rank rank(std::int32_t expert) const;
  void count_use(std::int32_t expert);
  void admit(std::int32_t newcomer, std::set<Rank>::iterator victim);

  const ExpertCachePolicy policy_;
  const std::size_t room_;
  std::vector<Entry> entries_;  ///< by expert
  std::set<Rank> resident_;
  std::int64_t clock_ = 0;
  std::vector<Use> uses_;
  std::vector<std::size_t> order_;
};

}  // namespace reticle
