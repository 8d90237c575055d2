// SPDX-License-Identifier: Apache-2.0
// Collectives as the messages they are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// Dies first, first + stride, ..., `count` of them.
struct DieGroup {
  std::int64_t first = 0;
  std::int64_t count = 1;
  std::int64_t stride = 1;
  auto operator<=>(const DieGroup&) const = default;
};

enum class AllReduceKind : std::uint8_t {
  OneShot,       ///< everyone sends everything to everyone; adds locally
  Direct,        ///< reduce-scatter, then all-gather, each in one phase
  Ring,          ///< the same in n - 1 phases each, neighbour to neighbour
  BulkRing,      ///< likewise in a library's protocol for large messages
  Tree,          ///< binomial: sums to the first die, then from there to all
  Hierarchical,  ///< reduce-scatter in a package (or node), Direct across, all-gather inside
  InSwitch,      ///< everyone sends to the switch, which adds and sends the sum to everyone
};
[[nodiscard]] std::string_view name_of(AllReduceKind kind);

enum class BroadcastKind : std::uint8_t { OneShot, Tree, InSwitch };

/// `inside`: Hierarchical only, the dies of a package (or node); divides the group.
Exchange all_reduce(const DieGroup& group, Bytes bytes, AllReduceKind kind, std::int64_t inside);
/// Each participant holds 1/count of `bytes` and ends with all of them.
Exchange all_gather(const DieGroup& group, Bytes bytes);
/// Each participant holds partial sums of `bytes` and ends with the sum of its 1/count.
Exchange reduce_scatter(const DieGroup& group, Bytes bytes);
/// sizes[source * count + target] bytes go from source to target; zero sends nothing.
Exchange all_to_all(std::span<const DieId> participants, std::span<const std::int64_t> sizes);
/// The group's first die has `bytes`, everyone ends with them.
Exchange broadcast(const DieGroup& group, Bytes bytes, BroadcastKind kind);
/// Each die `from.first + i` sends `bytes` to `to.first + i`.
Exchange peer_to_peer(const DieGroup& from, const DieGroup& to, Bytes bytes);

/// Chooses the all-reduce by a closed form over the platform's links, and keeps what it has built:
/// a step asks for the same few exchanges once per layer.
class Collectives {
 public:
  /// `rank_order`: only algorithms that add every element in the order of the dies' numbers,
  /// whatever the message's size (one-shot and direct). A ring's order depends on where in the
  /// message an element stands, a tree and a hierarchy add partial sums, a switch as parts arrive.
  explicit Collectives(const PlatformSpec& platform, bool rank_order = false);

  std::shared_ptr<const Exchange> reduce_all(const DieGroup& group, Bytes bytes);
  std::shared_ptr<const Exchange> gather_all(const DieGroup& group, Bytes bytes);
  std::shared_ptr<const Exchange> scatter_sums(const DieGroup& group, Bytes bytes);
  std::shared_ptr<const Exchange> send(const DieGroup& from, const DieGroup& to, Bytes bytes);

  /// An algorithm and, for the hierarchical one, how many neighbours come first.
  struct Choice {
    AllReduceKind kind = AllReduceKind::Direct;
    std::int64_t inside = 1;
  };
  [[nodiscard]] Choice choose(const DieGroup& group, Bytes bytes) const;
  /// The all-reduce as it runs: where kernels do it, with their times and bytes on the wire.
  [[nodiscard]] Exchange reduction(const Choice& choice, const DieGroup& group, Bytes bytes) const;
  /// As a kernel in which peers read from one another; tokens to experts and back likewise.
  [[nodiscard]] Exchange as_direct(Exchange exchange) const;
  [[nodiscard]] Exchange as_dispatch(Exchange exchange, bool bulk = false) const;
  /// As a library's collective, in its protocol for large messages (`bulk`) or small ones.
  [[nodiscard]] Exchange as_library(Exchange exchange, bool bulk) const;
  /// Sizes that one algorithm serves, and why: its closed form and that of the next best. Sizes are
  /// tried by doubling, 1 KiB to 1 GiB.
  struct Served {
    Choice choice;
    std::optional<Bytes> above, up_to;  ///< unset: no limit
    std::string why;
  };
  [[nodiscard]] std::vector<Served> served(const DieGroup& group) const;
  /// Which algorithm serves which sizes, for people: "one-shot to 64 KiB, direct above".
  [[nodiscard]] std::string describe_choices(const DieGroup& group) const;
  /// Closed-form time of any exchange on an idle fabric: of every phase, its longest way and its
  /// busiest participant's bytes.
  [[nodiscard]] Picoseconds estimate(const Exchange& exchange) const;
  /// Closed-form time of the chosen all-reduce on an idle fabric; for comparing plans.
  [[nodiscard]] Picoseconds estimate_all_reduce(const DieGroup& group, Bytes bytes) const;
  /// Likewise of an all-to-all in which every die of the group sends `bytes_per_die`.
  [[nodiscard]] Picoseconds estimate_all_to_all(const DieGroup& group, Bytes bytes_per_die) const;

 private:
  using Key = std::tuple<int, DieGroup, DieGroup, std::int64_t>;
  std::shared_ptr<const Exchange> keep(const Key& key, const std::function<Exchange()>& build);
  /// A level of the hierarchy as one die sees it.
  struct Level {
    std::int64_t dies = 1;     ///< joined by this level and those below
    std::int64_t sharing = 1;  ///< dies that share one of its links
    FabricLevel spec;
  };
  [[nodiscard]] std::vector<Choice> candidates(const DieGroup& group) const;
  [[nodiscard]] std::string compare(const DieGroup& group, Bytes bytes) const;
  [[nodiscard]] Picoseconds estimate(const Choice& choice, const DieGroup& group,
                                     Bytes bytes) const;
  /// One phase in which every die sends `bytes_per_die` to `peers` others over `level`.
  [[nodiscard]] Picoseconds phase(const Level& level, std::int64_t bytes_per_die,
                                  std::int64_t peers) const;
  /// Whether a switch that adds joins all of `group`, each die by a port of its own.
  [[nodiscard]] bool meets_in_switch(const DieGroup& group) const;
  [[nodiscard]] bool splits_evenly(const DieGroup& group, std::int64_t inside) const;
  /// The lowest level that joins all of `group`; two dies.
  [[nodiscard]] const Level& level_between(const DieGroup& group) const;
  [[nodiscard]] std::size_t level_between(std::int64_t one, std::int64_t other) const;

  const bool rank_order_;
  std::vector<Level> levels_;
  Picoseconds overhead_;
  std::optional<CollectiveParams> library_;  ///< of a machine that runs kernels
  std::map<Key, std::shared_ptr<const Exchange>> kept_;
};

}  // namespace reticle
