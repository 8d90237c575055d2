// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/topology.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths_no_color_map.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <functional>
#include <limits>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Distance by latency, ties by hops: compared in this order.
struct Distance {
  std::int64_t latency = std::numeric_limits<std::int64_t>::max();
  std::int32_t hops = std::numeric_limits<std::int32_t>::max();
  auto operator<=>(const Distance&) const = default;
};
struct Extend {
  Distance operator()(const Distance& a, const Distance& b) const {
    if (a == Distance{}) return a;
    if (b == Distance{}) return b;
    return {a.latency + b.latency, a.hops + b.hops};
  }
};
using RouteGraph =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property,
                          boost::property<boost::edge_weight_t, Distance>>;
}  // namespace

Topology::Topology(const FabricParams& params)
    : levels_{static_cast<std::int64_t>(params.levels.size())} {
  for (const auto& level : params.levels) dies_ *= level.width * level.height;
  nodes_ = dies_;
  std::int64_t child_dies = 1;
  for (std::size_t i = 0; i < params.levels.size(); ++i) {
    const auto& spec = params.levels[i];
    const std::int64_t group_dies = child_dies * spec.width * spec.height;
    for (std::int64_t base = 0; base < dies_; base += group_dies)
      join_level(spec, static_cast<std::int64_t>(i), child_dies, base);
    child_dies = group_dies;
  }
  routes_.resize(static_cast<std::size_t>(dies_));
}

void Topology::add_link(std::int64_t a, std::int64_t b, std::int64_t level,
                        const FabricLevel& spec) {
  links_.push_back({.from = static_cast<std::int32_t>(a),
                    .to = static_cast<std::int32_t>(b),
                    .level = static_cast<std::int32_t>(level),
                    .params = spec.link,
                    .router = spec.router_latency,
                    .forward = spec.link.latency + spec.router_latency});
}

void Topology::add_both(std::int64_t a, std::int64_t b, std::int64_t level,
                        const FabricLevel& spec) {
  add_link(a, b, level, spec);
  add_link(b, a, level, spec);
}

/// Joins the children whose first dies are base, base + child_dies, ...; `ports` dies of a child,
/// spread evenly over it, carry its links, port p of one child facing port p of the other.
void Topology::join_level(const FabricLevel& spec, std::int64_t level, std::int64_t child_dies,
                          std::int64_t base) {
  const std::int64_t count = spec.width * spec.height;
  if (count <= 1) return;
  const std::int64_t ports = std::min(spec.ports, child_dies);
  const auto die = [&](std::int64_t child, std::int64_t port) {
    return base + child * child_dies + port * (child_dies / ports);
  };
  if (spec.kind == TopologyKind::Switch) {
    // One switch plane per port index: a child's die p sees the dies p of the other children.
    // Dies with other port indices are reached through the plane too, as all ports share a switch.
    const std::int64_t hub = nodes_++;
    for (std::int64_t child = 0; child < count; ++child)
      for (std::int64_t port = 0; port < ports; ++port)
        add_both(die(child, port), hub, level, spec);
    return;
  }
  const auto join = [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t port = 0; port < ports; ++port)
      add_both(die(a, port), die(b, port), level, spec);
  };
  switch (spec.kind) {
    case TopologyKind::FullyConnected:
      for (std::int64_t a = 0; a < count; ++a)
        for (std::int64_t b = a + 1; b < count; ++b) join(a, b);
      break;
    case TopologyKind::Ring:
      for (std::int64_t a = 0; a + 1 < count; ++a) join(a, a + 1);
      if (count > 2) join(count - 1, 0);
      break;
    case TopologyKind::Mesh2d:
    case TopologyKind::Torus2d:
      for (std::int64_t y = 0; y < spec.height; ++y)
        for (std::int64_t x = 0; x < spec.width; ++x) {
          const std::int64_t here = y * spec.width + x;
          if (x + 1 < spec.width) join(here, here + 1);
          if (y + 1 < spec.height) join(here, here + spec.width);
        }
      if (spec.kind == TopologyKind::Torus2d) {
        if (spec.width > 2)
          for (std::int64_t y = 0; y < spec.height; ++y)
            join(y * spec.width + spec.width - 1, y * spec.width);
        if (spec.height > 2)
          for (std::int64_t x = 0; x < spec.width; ++x) join((spec.height - 1) * spec.width + x, x);
      }
      break;
    case TopologyKind::Switch:
      break;  // handled above
  }
}

const Topology::Routes& Topology::routes_from(DieId from) const {
  Routes& routes = routes_[index(from)];
  if (!routes.begin.empty()) return routes;

  RouteGraph graph(static_cast<std::size_t>(nodes_));
  for (const Link& link : links_)
    boost::add_edge(static_cast<std::size_t>(link.from), static_cast<std::size_t>(link.to),
                    Distance{link.forward.count(), 1}, graph);
  std::vector<Distance> distance(static_cast<std::size_t>(nodes_));
  boost::dijkstra_shortest_paths_no_color_map(
      graph, index(from),
      boost::distance_map(boost::make_iterator_property_map(distance.begin(),
                                                            boost::get(boost::vertex_index, graph)))
          .distance_inf(Distance{})
          .distance_zero(Distance{0, 0})
          .distance_compare(std::less<Distance>{})
          .distance_combine(Extend{}));

  // The predecessor is chosen here, not by the order of relaxation: among the links that close a
  // shortest path, the one from the lowest node, then the lowest link.
  std::vector<std::int64_t> via(static_cast<std::size_t>(nodes_), -1);
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto& link = links_[i];
    const auto to = static_cast<std::size_t>(link.to);
    const Distance through =
        Extend{}(distance[static_cast<std::size_t>(link.from)], {link.forward.count(), 1});
    if (through != distance[to] || to == index(from)) continue;
    if (via[to] < 0 || link.from < links_[static_cast<std::size_t>(via[to])].from)
      via[to] = static_cast<std::int64_t>(i);
  }
  routes.begin.push_back(0);
  for (std::int64_t to = 0; to < dies_; ++to) {
    const std::size_t first = routes.links.size();
    for (auto node = static_cast<std::size_t>(to); node != index(from);) {
      invariant(via[node] >= 0, "the fabric is connected");
      routes.links.push_back(LinkId{static_cast<std::uint32_t>(via[node])});
      node = static_cast<std::size_t>(links_[static_cast<std::size_t>(via[node])].from);
    }
    std::reverse(routes.links.begin() + static_cast<std::ptrdiff_t>(first), routes.links.end());
    routes.begin.push_back(static_cast<std::uint32_t>(routes.links.size()));
  }
  return routes;
}

std::span<const LinkId> Topology::path(DieId from, DieId to) const {
  const Routes& routes = routes_from(from);
  const std::uint32_t begin = routes.begin[index(to)];
  return {routes.links.data() + begin, routes.begin[index(to) + 1] - begin};
}

std::int64_t Topology::diameter() const {
  std::size_t most = 0;
  for (std::int64_t a = 0; a < dies_; ++a)
    for (std::int64_t b = 0; b < dies_; ++b)
      most = std::max(most, path(DieId(std::uint32_t(a)), DieId(std::uint32_t(b))).size());
  return static_cast<std::int64_t>(most);
}

Picoseconds Topology::diameter_latency() const {
  Picoseconds most{};
  for (std::int64_t a = 0; a < dies_; ++a)
    for (std::int64_t b = 0; b < dies_; ++b) {
      Picoseconds sum{};
      const auto links = path(DieId(std::uint32_t(a)), DieId(std::uint32_t(b)));
      for (const LinkId id : links) sum += links_[index(id)].forward;
      if (!links.empty()) sum -= links_[index(links.back())].router;
      most = max(most, sum);
    }
  return most;
}

BytesPerSecond Topology::bisection() const {
  if (dies_ < 2) return BytesPerSecond{0};
  using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
  using FlowGraph = boost::adjacency_list<
      boost::vecS, boost::vecS, boost::directedS, boost::no_property,
      boost::property<
          boost::edge_capacity_t, std::int64_t,
          boost::property<boost::edge_residual_capacity_t, std::int64_t,
                          boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;
  const auto source = static_cast<std::size_t>(nodes_);
  const auto sink = source + 1;
  FlowGraph graph(sink + 1);
  const auto capacity = boost::get(boost::edge_capacity, graph);
  const auto reverse = boost::get(boost::edge_reverse, graph);
  const auto add = [&](std::size_t a, std::size_t b, std::int64_t rate) {
    const auto forward = boost::add_edge(a, b, graph).first;
    const auto back = boost::add_edge(b, a, graph).first;
    capacity[forward] = rate;
    capacity[back] = 0;
    reverse[forward] = back;
    reverse[back] = forward;
  };
  std::int64_t total = 0;
  for (const auto& link : links_) {
    add(static_cast<std::size_t>(link.from), static_cast<std::size_t>(link.to),
        link.params.rate.count());
    total += link.params.rate.count();
  }
  for (std::int64_t die = 0; die < dies_; ++die) {
    const bool first_half = die < dies_ / 2;
    if (first_half) add(source, static_cast<std::size_t>(die), total);
    if (!first_half) add(static_cast<std::size_t>(die), sink, total);
  }
  return BytesPerSecond{boost::push_relabel_max_flow(graph, source, sink)};
}

}  // namespace reticle
