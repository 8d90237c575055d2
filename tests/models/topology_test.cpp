// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/topology.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
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

TEST_CASE("Topology: the lowest level that joins two dies carries their messages") {
  // Two dies of a package are joined by a link, and by a switch that all dies share.
  FabricParams params = fabric_of(TopologyKind::FullyConnected, 2);
  params.levels.push_back(fabric_level(TopologyKind::Switch, 2));
  params.levels[1].ports = 2;
  const Topology topology{params};
  REQUIRE(topology.path(die(0), die(1)).size() == 1);
  CHECK(topology.links()[index(topology.path(die(0), die(1))[0])].level == 0);
  REQUIRE(topology.path(die(0), die(2)).size() == 2);
  CHECK(topology.links()[index(topology.path(die(0), die(2))[0])].level == 1);
}

TEST_CASE("Topology: a mesh is crossed along x first, then along y") {
  const std::int64_t w = 5, h = 4;
  const Topology mesh{fabric_of(TopologyKind::Mesh2d, w, h)};
  for (std::int64_t a = 0; a < w * h; ++a)
    for (std::int64_t b = 0; b < w * h; ++b) {
      bool turned = false;
      for (const LinkId id : mesh.path(die(a), die(b))) {
        const auto& link = mesh.links()[index(id)];
        const bool along_x = link.from / w == link.to / w;
        CHECK_FALSE((turned && along_x));
        turned = !along_x;
      }
    }
}

TEST_CASE("Topology: of two ways round a ring that are alike, half of the dies take each") {
  const std::int64_t n = 8;
  const Topology ring{fabric_of(TopologyKind::Ring, n)};
  std::int64_t up = 0;
  for (std::int64_t a = 0; a < n; ++a) {
    const auto path = ring.path(die(a), die((a + n / 2) % n));
    CHECK(static_cast<std::int64_t>(path.size()) == n / 2);
    up += ring.links()[index(path[0])].to == (a + 1) % n ? 1 : 0;
    std::vector<Topology::Hop> asked;
    ring.route(die(a), die((a + n / 2) % n), {.x_up = true, .y_up = {}}, asked);
    CHECK(ring.links()[index(asked[0].link)].to == (a + 1) % n);
  }
  CHECK(up == n / 2);
}

TEST_CASE("Topology: in a ring the routes over the closing link are told from the others") {
  const std::int64_t n = 6;
  const Topology ring{fabric_of(TopologyKind::Ring, n)};
  for (std::int64_t a = 0; a < n; ++a)
    for (std::int64_t b = 0; b < n; ++b) {
      std::vector<Topology::Hop> hops;
      ring.route(die(a), die(b), {}, hops);
      const bool closing = std::ranges::any_of(hops, [&](const Topology::Hop& hop) {
        const auto& link = ring.links()[index(hop.link)];
        return std::abs(link.from - link.to) == n - 1;
      });
      for (const Topology::Hop& hop : hops) CHECK(hop.wraps == closing);
    }
}

/// Greatest over all pairs of what a path sums up to.
std::int64_t most_over_pairs(const Topology& topology, bool latency) {
  std::int64_t most = 0;
  for (std::int64_t a = 0; a < topology.dies(); ++a)
    for (std::int64_t b = 0; b < topology.dies(); ++b) {
      const auto path = topology.path(die(a), die(b));
      Picoseconds sum{};
      for (const LinkId id : path) sum += topology.links()[index(id)].forward;
      if (!path.empty()) sum -= topology.links()[index(path.back())].router;
      most = std::max(most, latency ? sum.count() : static_cast<std::int64_t>(path.size()));
    }
  return most;
}

TEST_CASE("Topology: the diameter of a hierarchy is that of all its pairs") {
  for (const TopologyKind inner : {TopologyKind::FullyConnected, TopologyKind::Ring,
                                   TopologyKind::Mesh2d, TopologyKind::Switch})
    for (const TopologyKind outer : {TopologyKind::FullyConnected, TopologyKind::Ring,
                                     TopologyKind::Mesh2d, TopologyKind::Switch})
      for (const std::int64_t ports : {1, 2, 4, 8}) {
        FabricParams params = fabric_of(inner, 8);
        params.levels.push_back(fabric_level(outer, 3));
        params.levels[1].ports = ports;
        params.levels[1].link.latency = 3 * kLink.latency;
        params.levels[1].router_latency = 7 * kRouter;
        const Topology topology{params};
        CAPTURE(static_cast<int>(inner));
        CAPTURE(static_cast<int>(outer));
        CAPTURE(ports);
        CHECK(topology.diameter() == most_over_pairs(topology, false));
        CHECK(topology.diameter_latency().count() == most_over_pairs(topology, true));
      }
}

TEST_CASE("Topology: 64, 256 and 1,024 dies take memory in proportion to their links") {
  for (const std::int64_t side : {8, 16, 32}) {
    const Topology mesh{fabric_of(TopologyKind::Mesh2d, side, side)};
    CHECK(static_cast<std::int64_t>(mesh.links().size()) == 4 * side * (side - 1));
    CHECK(mesh.diameter() == 2 * (side - 1));
    const Topology star{fabric_of(TopologyKind::Switch, side * side)};
    CHECK(static_cast<std::int64_t>(star.links().size()) == 2 * side * side);
    CHECK(star.diameter() == 2);
  }
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
