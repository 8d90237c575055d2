// SPDX-License-Identifier: Apache-2.0
// The fabric as a graph: dies, switches, links, and deterministic routes between dies. A route is
// computed from coordinates when it is asked for; nothing is kept per pair of dies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/fabric/fabric_spec.hpp"
#include "sim/base/ids.hpp"

namespace reticle {

class Topology {
 public:
  struct Link {
    std::int32_t from = 0;  ///< node: 0..dies-1 are dies, then switches
    std::int32_t to = 0;
    std::int32_t level = 0;  ///< of the hierarchy; prices and statistics go by it
    LinkParams params;
    Picoseconds
        router{};  ///< passing through the switch or die at `to`; not paid where a path ends
    Picoseconds forward{};  ///< latency to the next link's start: wire plus router
  };
  /// One link of a route, with what keeps virtual channels free of deadlock.
  struct Hop {
    LinkId link{};
    bool wraps = false;     ///< in this ring, the route crosses the closing link
    bool descends = false;  ///< below the level that joins the two dies, on the way down
  };
  /// Which way round a ring when both are equally far; unset: by the parity of the source's place.
  struct Ties {
    std::optional<bool> x_up, y_up;
  };

  /// Builds the hierarchy of `params`. The sizes of the levels multiply to the number of dies.
  explicit Topology(const FabricParams& params);

  [[nodiscard]] std::int64_t dies() const { return dies_; }
  [[nodiscard]] std::int64_t nodes() const { return nodes_; }
  [[nodiscard]] std::span<const Link> links() const { return links_; }
  [[nodiscard]] std::int64_t levels() const { return static_cast<std::int64_t>(levels_.size()); }

  /// Routes that could wait for each other in a circle are told apart on every link, so that each
  /// class can have its own part of the buffer: in a ring by `wraps`, below the highest level by
  /// `descends`. [Dally and Seitz, IEEE ToC 1987]
  struct Channel {
    std::int32_t number = 0, of = 1;
  };
  [[nodiscard]] Channel channel(const Hop& hop) const;
  /// Appends the hops from `from` to `to`: over the lowest level that joins them, first along x and
  /// then along y, the shorter way round a ring. None when from == to.
  void route(DieId from, DieId to, const Ties& ties, std::vector<Hop>& hops) const;
  /// The links of that route, with the default ties.
  [[nodiscard]] std::vector<LinkId> path(DieId from, DieId to) const;
  /// The switch that `die` and all of `others` have a port of, at the lowest level that joins them;
  /// the die's link to it and back. Unset when that level has no switch or a die no port.
  struct SwitchPort {
    std::int32_t hub = 0;
    LinkId up{}, down{};
  };
  [[nodiscard]] std::optional<SwitchPort> switch_port(DieId die, std::span<const DieId> all) const;

  /// Most links between any two dies.
  [[nodiscard]] std::int64_t diameter() const;
  /// Greatest sum of link latencies between any two dies.
  [[nodiscard]] Picoseconds diameter_latency() const;
  /// Bytes per second from the first half of the dies (by id) to the second: a maximum flow.
  [[nodiscard]] BytesPerSecond bisection() const;

 private:
  /// Groups of a level are alike: their links are laid out in the same order, group by group.
  struct Level {
    FabricLevel spec;
    std::int64_t child_dies = 1;  ///< dies in one of the joined children
    std::int64_t group_dies = 1;  ///< dies joined
    std::int64_t ports = 1;
    std::int64_t first_hub = 0;         ///< Switch: node of the first group's switch
    std::int64_t first_link = 0;        ///< of the first group
    std::int64_t links_per_group = 0;   ///<
    std::vector<std::int32_t> x_pairs;  ///< per child: pair to the neighbour at x + 1, likewise y
    std::vector<std::int32_t> y_pairs;
  };
  struct Reach {
    std::int64_t hops = 0;
    Picoseconds latency{};
  };
  using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

  void add_level(const FabricLevel& spec);
  static Pairs neighbours(Level& level);
  void add_links(const Level& level, std::int64_t a, std::int64_t b);
  [[nodiscard]] LinkId link_of(const Level& level, std::int64_t group, std::int64_t pair,
                               std::int64_t port, bool back) const;
  [[nodiscard]] std::int64_t gateway(const Level& level, std::int64_t die) const;
  [[nodiscard]] std::int64_t port_of(const Level& level, std::int64_t die) const;
  [[nodiscard]] const Level& joining(std::int64_t from, std::int64_t to) const;
  void walk(std::int64_t from, std::int64_t to, bool descends, const Ties& ties,
            std::vector<Hop>& hops) const;
  void cross(const Level& level, std::int64_t from, std::int64_t child, std::int64_t port,
             const Ties& ties, std::vector<Hop>& hops) const;
  void along_ring(const Level& level, std::int64_t group, std::int64_t& cell, std::int64_t to,
                  bool y, std::int64_t port, std::optional<bool> tie, std::vector<Hop>& hops) const;
  [[nodiscard]] Reach measure(std::int64_t from, std::int64_t to) const;
  [[nodiscard]] Reach farthest() const;

  std::int64_t dies_ = 1;
  std::int64_t nodes_ = 0;
  std::vector<Level> levels_;
  std::vector<Link> links_;
};

}  // namespace reticle
