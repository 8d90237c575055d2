// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/synthetic_network.hpp"

#include <utility>

#include "models/fabric/topology.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kTerminalWire = 1;

/// Two ways along x and two along y.
constexpr std::uint64_t kGridVariants = 4;

std::int64_t power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

std::int32_t add_link(FlitGraph& graph, std::int64_t from, std::int64_t to, std::int64_t latency,
                      std::int64_t credit) {
  graph.links.push_back({.from = static_cast<std::int32_t>(from),
                         .to = static_cast<std::int32_t>(to),
                         .latency = latency,
                         .credit_latency = credit});
  return static_cast<std::int32_t>(graph.links.size() - 1);
}
}  // namespace

void SyntheticNetwork::add_terminals(Plan& plan, std::int64_t count, std::int64_t per_router) {
  for (std::int64_t t = 0; t < count; ++t) {
    const auto node = static_cast<std::int64_t>(plan.graph.nodes.size());
    plan.graph.nodes.push_back({.terminal = true});
    const std::int64_t router = t / per_router;
    plan.in.push_back(add_link(plan.graph, node, router, kTerminalWire, kTerminalWire));
    plan.out.push_back(add_link(plan.graph, router, node, kTerminalWire, kTerminalWire));
  }
}

SyntheticNetwork::SyntheticNetwork(Plan plan, const RouterParams& router)
    : plan_{std::move(plan)},
      terminals_{static_cast<std::int64_t>(plan_.in.size())},
      network_{plan_.graph, router} {
  plan_.vcs = router.vcs;
  variants_ = kGridVariants;
  if (plan_.k > 0) variants_ = static_cast<std::uint64_t>(power(plan_.k, plan_.n - 1));
}

SyntheticNetwork SyntheticNetwork::grid(TopologyKind kind, std::int64_t width, std::int64_t height,
                                        std::int64_t wire, const RouterParams& router) {
  Plan plan;
  if (kind == TopologyKind::Switch) {
    plan.graph.nodes.resize(1);
    add_terminals(plan, width * height, width * height);
    return {std::move(plan), router};
  }
  FabricLevel level;
  level.kind = kind;
  level.width = width;
  level.height = height;
  plan.fabric.levels = {level};
  plan.graph.nodes.resize(static_cast<std::size_t>(width * height));
  const Topology topology{plan.fabric};  // its links come first, under their own numbers
  for (const auto& link : topology.links()) add_link(plan.graph, link.from, link.to, wire, wire);
  add_terminals(plan, width * height, 1);
  return {std::move(plan), router};
}

/// Switch w of level l (0 = roots) and switch w' of level l + 1 are joined when their numbers, in
/// base k, agree but for digit l. [Petrini and Vanneschi, IPPS 1997]
SyntheticNetwork SyntheticNetwork::fat_tree(std::int64_t k, std::int64_t n, std::int64_t wire,
                                            const RouterParams& router) {
  Plan plan;
  plan.k = k;
  plan.n = n;
  const std::int64_t per_level = power(k, n - 1);
  plan.graph.nodes.resize(static_cast<std::size_t>(n * per_level));
  // Leaves are numbered first, so that terminal t is at switch t / k.
  const auto node = [&](std::int64_t level, std::int64_t w) {
    return (n - 1 - level) * per_level + w;
  };
  for (std::int64_t level = 0; level + 1 < n; ++level)
    for (std::int64_t w = 0; w < per_level; ++w)
      for (std::int64_t port = 0; port < k; ++port) {
        const std::int64_t weight = power(k, n - 2 - level);
        const std::int64_t other = w - w / weight % k * weight + port * weight;
        plan.up.push_back(add_link(plan.graph, node(level + 1, w), node(level, other), wire, wire));
        plan.down.push_back(
            add_link(plan.graph, node(level, w), node(level + 1, other), wire, wire));
      }
  add_terminals(plan, k * per_level, k);
  return {std::move(plan), router};
}

std::vector<FlitHop> SyntheticNetwork::grid_hops(std::int64_t from, std::int64_t to,
                                                 std::uint64_t variant) const {
  std::vector<FlitHop> hops;
  if (plan_.fabric.levels.empty()) return hops;
  std::vector<Topology::Hop> path;
  const Topology topology{plan_.fabric};
  topology.route(DieId{static_cast<std::uint32_t>(from)}, DieId{static_cast<std::uint32_t>(to)},
                 {.x_up = (variant & 1) != 0, .y_up = (variant & 2) != 0}, path);
  // Routes over a ring's closing link keep to one half of the channels, the others to the other:
  // neither half's buffers can wait for each other in a circle. [Dally and Seitz 1987]
  const TopologyKind kind = plan_.fabric.levels[0].kind;
  const bool ring = kind == TopologyKind::Ring || kind == TopologyKind::Torus2d;
  const auto vcs = static_cast<std::int32_t>(plan_.vcs);
  for (const Topology::Hop& hop : path) {
    const auto link = static_cast<std::int32_t>(index(hop.link));
    if (!ring) hops.push_back({link, 0, vcs});
    if (ring) hops.push_back({link, hop.wraps ? vcs / 2 : 0, hop.wraps ? vcs : vcs / 2});
  }
  return hops;
}

std::vector<FlitHop> SyntheticNetwork::tree_hops(std::int64_t from, std::int64_t to,
                                                 std::uint64_t variant) const {
  const std::int64_t k = plan_.k, n = plan_.n;
  const std::int64_t per_level = power(k, n - 1);
  const auto vcs = static_cast<std::int32_t>(plan_.vcs);
  std::vector<FlitHop> hops;
  std::int64_t w = from / k;
  const std::int64_t leaf = to / k;
  // Up until only digits below the level differ: those are set on the way down.
  std::int64_t level = n - 1;
  const auto reaches = [&](std::int64_t l) {
    const std::int64_t below = power(k, n - 1 - l);
    return w / below == leaf / below;
  };
  auto choice = static_cast<std::int64_t>(variant);
  while (!reaches(level)) {
    --level;
    const std::int64_t port = choice % k;
    choice /= k;
    hops.push_back(
        {plan_.up[static_cast<std::size_t>((level * per_level + w) * k + port)], 0, vcs});
    const std::int64_t weight = power(k, n - 2 - level);
    w += (port - w / weight % k) * weight;
  }
  for (; level < n - 1; ++level) {
    const std::int64_t weight = power(k, n - 2 - level);
    const std::int64_t port = leaf / weight % k;
    hops.push_back(
        {plan_.down[static_cast<std::size_t>((level * per_level + w) * k + port)], 0, vcs});
    w += (port - w / weight % k) * weight;
  }
  return hops;
}

std::int32_t SyntheticNetwork::route(std::int64_t from, std::int64_t to, RngStream& rng) {
  const std::uint64_t variant = rng.below(variants_);
  const auto [found, fresh] = routes_.try_emplace({from, to, variant}, 0);
  if (!fresh) return found->second;
  const auto vcs = static_cast<std::int32_t>(plan_.vcs);
  std::vector<FlitHop> hops =
      plan_.k > 0 ? tree_hops(from, to, variant) : grid_hops(from, to, variant);
  hops.insert(hops.begin(), {plan_.in[static_cast<std::size_t>(from)], 0, vcs});
  hops.push_back({plan_.out[static_cast<std::size_t>(to)], 0, vcs});
  found->second = network_.add_route(hops);
  routers_.push_back(static_cast<std::int64_t>(hops.size()) - 1);
  return found->second;
}

}  // namespace reticle
