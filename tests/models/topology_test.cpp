// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/topology.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <tuple>
#include <vector>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

DieId die(std::int64_t i) { return DieId{static_cast<std::uint32_t>(i)}; }

struct Case {
  std::string name;
  FabricParams params;
  std::int64_t diameter;
};

FabricParams node_of_packages(std::int64_t ports) {
  FabricParams params = fabric_of(TopologyKind::FullyConnected, 4);
  params.levels.push_back(fabric_level(TopologyKind::Switch, 3));
  params.levels[1].ports = ports;
  return params;
}

/// Equal latencies everywhere, so that the fewest hops are the shortest path.
std::vector<Case> cases() {
  FabricParams three = node_of_packages(4);
  three.levels.push_back(fabric_level(TopologyKind::Ring, 2));
  three.levels[2].ports = 12;
  return {{"one die", fabric_of(TopologyKind::Ring, 1), 0},
          {"fully connected 5", fabric_of(TopologyKind::FullyConnected, 5), 1},
          {"ring 2", fabric_of(TopologyKind::Ring, 2), 1},
          {"ring 7", fabric_of(TopologyKind::Ring, 7), 3},
          {"ring 8", fabric_of(TopologyKind::Ring, 8), 4},
          {"mesh 4 x 3", fabric_of(TopologyKind::Mesh2d, 4, 3), 5},
          {"torus 4 x 4", fabric_of(TopologyKind::Torus2d, 4, 4), 4},
          {"torus 5 x 2", fabric_of(TopologyKind::Torus2d, 5, 2), 3},
          {"switch 8", fabric_of(TopologyKind::Switch, 8), 2},
          {"3 packages of 4, all dies on the switch", node_of_packages(4), 2},
          {"3 packages of 4, one gateway each", node_of_packages(1), 4},
          {"2 nodes of 3 packages of 4", three, 3}};
}

/// Hops from `from` to every node by breadth-first search over the links.
std::vector<std::int64_t> hops_from(const Topology& topology, std::int64_t from) {
  std::vector<std::int64_t> hops(static_cast<std::size_t>(topology.nodes()), -1);
  hops[static_cast<std::size_t>(from)] = 0;
  for (std::deque<std::int64_t> open{from}; !open.empty(); open.pop_front())
    for (const auto& link : topology.links())
      if (link.from == open.front() && hops[static_cast<std::size_t>(link.to)] < 0) {
        hops[static_cast<std::size_t>(link.to)] = hops[static_cast<std::size_t>(link.from)] + 1;
        open.push_back(link.to);
      }
  return hops;
}

TEST_CASE("Topology: the diameter is the known one of each kind") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Topology topology{c.params};
    CHECK(topology.diameter() == c.diameter);
    CHECK(topology.diameter_latency() ==
          c.diameter * (kLink.latency + kRouter) - (c.diameter > 0 ? kRouter : Picoseconds{0}));
  }
}

TEST_CASE("Topology: paths join, are shortest by breadth-first search, and symmetric in hops") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Topology topology{c.params};
    for (std::int64_t a = 0; a < topology.dies(); ++a) {
      const auto hops = hops_from(topology, a);
      for (std::int64_t b = 0; b < topology.dies(); ++b) {
        const auto path = topology.path(die(a), die(b));
        CHECK(static_cast<std::int64_t>(path.size()) == hops[static_cast<std::size_t>(b)]);
        CHECK(path.size() == topology.path(die(b), die(a)).size());
        std::int64_t at = a;
        for (const LinkId id : path) {
          CHECK(topology.links()[index(id)].from == at);
          at = topology.links()[index(id)].to;
        }
        CHECK(at == b);
      }
    }
  }
}

TEST_CASE("Topology: latency decides before hops") {
  // Two dies of a package are joined by a slow link, and by a fast switch that all dies share.
  FabricParams params = fabric_of(TopologyKind::FullyConnected, 2);
  params.levels.push_back(fabric_level(TopologyKind::Switch, 2));
  params.levels[1].ports = 2;
  params.levels[0].link.latency = 1_us;
  const Topology topology{params};
  CHECK(topology.path(die(0), die(1)).size() == 2);
  CHECK(topology.diameter_latency() == 2 * kLink.latency + kRouter);
}

TEST_CASE("Topology: of equal paths the one through the lowest dies is taken") {
  const Topology square{fabric_of(TopologyKind::Mesh2d, 2, 2)};
  const auto path = square.path(die(0), die(3));
  REQUIRE(path.size() == 2);
  CHECK(square.links()[index(path[0])].to == 1);
  const auto back = square.path(die(3), die(0));
  CHECK(square.links()[index(back[0])].to == 1);
}

TEST_CASE("Topology: routes do not depend on who asked first") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Topology forward{c.params};
    const Topology backward{c.params};
    const std::int64_t n = forward.dies();
    for (std::int64_t i = n * n - 1; i >= 0; --i)
      std::ignore = backward.path(die(i / n), die(i % n));
    for (std::int64_t i = 0; i < n * n; ++i) {
      const auto a = forward.path(die(i / n), die(i % n));
      const auto b = backward.path(die(i / n), die(i % n));
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
}

TEST_CASE("Topology: the bisection of known graphs") {
  const auto links = [](const FabricParams& params) {
    return Topology{params}.bisection().count() / kLink.rate.count();
  };
  for (const std::int64_t k : {4, 6, 8}) {
    CHECK(links(fabric_of(TopologyKind::Mesh2d, k, k)) == k);
    CHECK(links(fabric_of(TopologyKind::Torus2d, k, k)) == 2 * k);
    CHECK(links(fabric_of(TopologyKind::Ring, k)) == 2);
    CHECK(links(fabric_of(TopologyKind::Switch, k)) == k / 2);
    CHECK(links(fabric_of(TopologyKind::FullyConnected, k)) == (k / 2) * (k / 2));
  }
  CHECK(links(fabric_of(TopologyKind::Ring, 1)) == 0);
}

TEST_CASE("Topology: one gateway per package bounds the bisection of a hierarchy") {
  FabricParams params = fabric_of(TopologyKind::FullyConnected, 4);
  params.levels.push_back(fabric_level(TopologyKind::FullyConnected, 2));
  for (const std::int64_t ports : {1, 2, 4}) {
    params.levels[1].ports = ports;
    CHECK(Topology{params}.bisection().count() == ports * kLink.rate.count());
  }
}

}  // namespace
}  // namespace reticle
