// SPDX-License-Identifier: Apache-2.0
// The fabric as a graph: dies, switches, links, and deterministic shortest paths between dies.
#pragma once

#include <cstdint>
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

  /// Builds the hierarchy of `params`. The sizes of the levels multiply to the number of dies.
  explicit Topology(const FabricParams& params);

  [[nodiscard]] std::int64_t dies() const { return dies_; }
  [[nodiscard]] std::int64_t nodes() const { return nodes_; }
  [[nodiscard]] std::span<const Link> links() const { return links_; }
  [[nodiscard]] std::int64_t levels() const { return levels_; }

  /// Links from `from` to `to`, by least latency, then fewest hops, then lowest node id.
  /// Empty when from == to. Computed on first use of a source, then kept.
  [[nodiscard]] std::span<const LinkId> path(DieId from, DieId to) const;

  /// Most links between any two dies.
  [[nodiscard]] std::int64_t diameter() const;
  /// Greatest sum of link latencies between any two dies.
  [[nodiscard]] Picoseconds diameter_latency() const;
  /// Bytes per second from the first half of the dies (by id) to the second: a maximum flow.
  [[nodiscard]] BytesPerSecond bisection() const;

 private:
  struct Routes {
    std::vector<std::uint32_t> begin;  ///< dies + 1 offsets
    std::vector<LinkId> links;
  };
  void add_link(std::int64_t a, std::int64_t b, std::int64_t level, const FabricLevel& spec);
  void add_both(std::int64_t a, std::int64_t b, std::int64_t level, const FabricLevel& spec);
  void join_level(const FabricLevel& spec, std::int64_t level, std::int64_t child_dies,
                  std::int64_t base);
  const Routes& routes_from(DieId from) const;

  std::int64_t dies_ = 1;
  std::int64_t nodes_ = 0;
  std::int64_t levels_ = 0;
  std::vector<Link> links_;
  mutable std::vector<Routes> routes_;
};

}  // namespace reticle
