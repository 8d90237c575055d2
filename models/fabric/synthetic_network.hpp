// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "models/fabric/fabric_spec.hpp"
#include "models/fabric/flit_network.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

/// A network of routers with a terminal at each, for traffic that is not a program's.
///
/// Models:     meshes, tori, rings and one switch as Topology routes them, k-ary n-trees routed up
///             at random and down by target; wires counted in cycles, one flit a cycle.
/// Leaves out: hierarchies, wires of different length in one network.
class SyntheticNetwork {
 public:
  /// Routers joined as `kind` says. `wire` cycles between routers; one to and from terminals.
  static SyntheticNetwork grid(TopologyKind kind, std::int64_t width, std::int64_t height,
                               std::int64_t wire, const RouterParams& router);
  /// k terminals per leaf, n levels of k^(n-1) switches.
  static SyntheticNetwork fat_tree(std::int64_t k, std::int64_t n, std::int64_t wire,
                                   const RouterParams& router);

  [[nodiscard]] std::int64_t terminals() const { return terminals_; }
  [[nodiscard]] FlitNetwork& network() { return network_; }
  /// A route; where several are alike, drawn from `rng`.
  std::int32_t route(std::int64_t from, std::int64_t to, RngStream& rng);
  /// Routers on the way.
  [[nodiscard]] std::int64_t routers(std::int32_t route) const {
    return routers_[static_cast<std::size_t>(route)];
  }

 private:
  struct Plan {
    FlitGraph graph;
    std::vector<std::int32_t> in, out;  ///< per terminal: link to its router and back
    std::int64_t vcs = 0;
    FabricParams fabric;
    std::int64_t k = 0, n = 0;     ///< fat tree
    std::vector<std::int32_t> up;  ///< fat tree: [level][switch][port] link, likewise down
    std::vector<std::int32_t> down;
  };
  SyntheticNetwork(Plan plan, const RouterParams& router);
  static void add_terminals(Plan& plan, std::int64_t count, std::int64_t per_router);
  [[nodiscard]] std::vector<FlitHop> grid_hops(std::int64_t from, std::int64_t to,
                                               std::uint64_t variant) const;
  [[nodiscard]] std::vector<FlitHop> tree_hops(std::int64_t from, std::int64_t to,
                                               std::uint64_t variant) const;

  Plan plan_;
  std::int64_t terminals_;
  std::uint64_t variants_ = 1;
  FlitNetwork network_;
  std::map<std::tuple<std::int64_t, std::int64_t, std::uint64_t>, std::int32_t> routes_;
  std::vector<std::int64_t> routers_;
};

}  // namespace reticle
