// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/flit_network.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "models/fabric/synthetic_traffic.hpp"

namespace reticle {
namespace {

/// Terminal 0 - routers 1..n - terminal n + 1, wires of one cycle.
FlitGraph chain(std::int32_t routers) {
  FlitGraph graph;
  graph.nodes.resize(static_cast<std::size_t>(routers) + 2);
  graph.nodes.front().terminal = graph.nodes.back().terminal = true;
  for (std::int32_t i = 0; i <= routers; ++i) graph.links.push_back({.from = i, .to = i + 1});
  return graph;
}
std::vector<FlitHop> along(std::int32_t links, std::int32_t vcs) {
  std::vector<FlitHop> hops;
  for (std::int32_t l = 0; l < links; ++l) hops.push_back({l, 0, vcs});
  return hops;
}

/// Runs until nothing is under way; the cycle of the last arrival.
std::int64_t drain(FlitNetwork& network) {
  std::int64_t last = -1;
  for (std::int64_t c = network.next_active(); c != FlitNetwork::kNever;
       c = network.next_active()) {
    network.step(c);
    if (!network.arrived().empty()) last = c;
  }
  return last;
}

TEST_CASE("FlitNetwork: a lone packet takes three cycles a router, two a wire, and its length") {
  for (const std::int32_t routers : {1, 2, 5})
    for (const std::int64_t flits : {1, 4, 16}) {
      FlitNetwork network{chain(routers), {}};
      const auto route = network.add_route(along(routers + 1, 8));
      network.send(route, flits, flits, 0);
      // hops x (3 + link) + 2 + (flits - 1) [reference README: BookSim 2, base router]
      CHECK(drain(network) == routers * (3 + 1) + 2 + flits - 1);
      CHECK(network.stats().flits_sent == flits);
      CHECK(network.stats().flits_received == flits);
    }
}

TEST_CASE("FlitNetwork: a speculating router saves a cycle") {
  FlitNetwork network{chain(3), {.speculative = true}};
  network.send(network.add_route(along(4, 8)), 1, 1, 0);
  CHECK(drain(network) == 3 * (2 + 1) + 2);
}

TEST_CASE("FlitNetwork: one buffer of a flit waits for its credit's way round") {
  FlitNetwork network{chain(1), {.vcs = 1, .vc_buffer = 1}};
  const std::int64_t flits = 32;
  network.send(network.add_route(along(2, 1)), flits, flits, 0);
  // The router may use the terminal's buffer again after: leave 1, wire 2, credit back 2, delay 1.
  CHECK(drain(network) == 6 + (flits - 1) * 6);

  FlitGraph graph = chain(2);  // the same between two routers
  graph.links[2].vc_buffer = 8;
  FlitNetwork two{graph, {.vcs = 1, .vc_buffer = 1}};
  two.send(two.add_route(along(3, 1)), flits, flits, 0);
  CHECK(drain(two) == 10 + (flits - 1) * 6);
}

TEST_CASE("FlitNetwork: a slow link spaces its flits, exactly over a long time") {
  FlitGraph graph = chain(1);
  graph.links[1].spacing = (5 << 16) / 2;  // two flits in five cycles
  FlitNetwork network{graph, {}};
  const std::int64_t flits = 1001;
  network.send(network.add_route(along(2, 8)), flits, 16, 0);
  CHECK(drain(network) == 6 + (flits - 1) * 5 / 2);
}

TEST_CASE("FlitNetwork: idle time costs nothing") {
  FlitGraph graph = chain(1);
  graph.links[0].latency = graph.links[1].latency = 5000;
  FlitNetwork network{graph, {}};
  network.send(network.add_route(along(2, 8)), 1, 1, 0);
  CHECK(drain(network) > 10'000);
  CHECK(network.stats().active_cycles < 12);
  CHECK(network.next_active() == FlitNetwork::kNever);
}

TEST_CASE("FlitNetwork: nothing is lost and nothing stays at any load") {
  for (const TopologyKind kind :
       {TopologyKind::Mesh2d, TopologyKind::Torus2d, TopologyKind::Ring, TopologyKind::Switch})
    for (const std::int64_t vcs : {2, 8})
      for (const std::int64_t buffer : {1, 4, 16}) {
        const std::int64_t height = kind == TopologyKind::Ring ? 1 : 4;
        SyntheticNetwork network = SyntheticNetwork::grid(
            kind, kind == TopologyKind::Ring ? 9 : 4, height, 2, {.vcs = vcs, .vc_buffer = buffer});
        const std::int64_t packets = 40, flits = 5;
        CHECK(run_batch(network, packets, flits, 3) > 0);
        const FlitStats& stats = network.network().stats();
        CHECK(stats.flits_received == packets * flits * network.terminals());
        CHECK(stats.flits_sent == stats.flits_received);
        CHECK(network.network().pending().empty());
      }
}

TEST_CASE("FlitNetwork: routes round a ring do not lock each other up") {
  // Everyone sends half-way round at once, through buffers of a flit.
  SyntheticNetwork ring =
      SyntheticNetwork::grid(TopologyKind::Ring, 8, 1, 1, {.vcs = 2, .vc_buffer = 1});
  RngStream rng{1, "ring"};
  for (std::int64_t s = 0; s < 8; ++s)
    for (int i = 0; i < 20; ++i) ring.network().send(ring.route(s, (s + 4) % 8, rng), 8, 8, 0);
  drain(ring.network());
  CHECK(ring.network().stats().flits_received == 8 * 20 * 8);
}

TEST_CASE("FlitNetwork: the same seed gives the same run, another one another") {
  const auto run = [](std::uint64_t seed) {
    SyntheticNetwork tree = SyntheticNetwork::fat_tree(4, 3, 1, {});
    TrafficParams traffic;
    traffic.offered = 0.4;
    traffic.packet = 4;
    traffic.measured = 500;
    traffic.drain = 5000;
    traffic.seed = seed;
    return run_traffic(tree, traffic).latency;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_CASE("FlitAllocator: a match is one to one among those that asked, and nobody starves") {
  for (const AllocatorKind kind : {AllocatorKind::SeparableInputFirst, AllocatorKind::Islip}) {
    FlitAllocator allocator{4, 4, kind, 2};
    std::vector<int> granted(4);
    for (int cycle = 0; cycle < 400; ++cycle) {
      for (std::int32_t in = 0; in < 4; ++in)
        for (const std::int32_t out : {0, 1})
          allocator.request({.in = in, .out = out, .label = in});
      std::vector<int> ins(4), outs(4);
      for (const auto& r : allocator.allocate()) {
        CHECK(r.out < 2);
        CHECK(++ins[static_cast<std::size_t>(r.in)] == 1);
        CHECK(++outs[static_cast<std::size_t>(r.out)] == 1);
        ++granted[static_cast<std::size_t>(r.in)];
      }
    }
    for (const int count : granted) CHECK(count >= 80);
  }
}

}  // namespace
}  // namespace reticle
