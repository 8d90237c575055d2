// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/topology.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr std::int32_t kNoPair = -1;

bool is_ring(TopologyKind kind) {
  return kind == TopologyKind::Ring || kind == TopologyKind::Torus2d;
}
}  // namespace

Topology::Topology(const FabricParams& params) {
  for (const auto& level : params.levels) dies_ *= level.width * level.height;
  nodes_ = dies_;
  for (const auto& level : params.levels) add_level(level);
}

/// Pairs of children that are joined, in the order their links are laid out.
Topology::Pairs Topology::neighbours(Level& level) {
  const std::int64_t w = level.spec.width, h = level.spec.height;
  const std::int64_t cells = w * h;
  Pairs pairs;
  if (level.spec.kind == TopologyKind::FullyConnected) {
    for (std::int64_t a = 0; a < cells; ++a)
      for (std::int64_t b = a + 1; b < cells; ++b) pairs.emplace_back(a, b);
    return pairs;
  }
  level.x_pairs.assign(static_cast<std::size_t>(cells), kNoPair);
  level.y_pairs = level.x_pairs;
  const auto join = [&](std::vector<std::int32_t>& table, std::int64_t a, std::int64_t b) {
    table[static_cast<std::size_t>(a)] = static_cast<std::int32_t>(pairs.size());
    pairs.emplace_back(a, b);
  };
  // Two in a ring are joined once: the link back is the link out.
  const bool closed = is_ring(level.spec.kind);
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x) {
      const std::int64_t here = y * w + x;
      if (x + 1 < w || (closed && w > 2)) join(level.x_pairs, here, y * w + (x + 1) % w);
      if (y + 1 < h || (closed && h > 2)) join(level.y_pairs, here, (y + 1) % h * w + x);
    }
  return pairs;
}

/// Joins children of `child_dies` dies each; `ports` dies of a child, spread evenly over it, carry
/// its links, port p of one child facing port p of the other.
void Topology::add_level(const FabricLevel& spec) {
  Level& level = levels_.emplace_back();
  level.spec = spec;
  if (levels_.size() > 1) level.child_dies = levels_[levels_.size() - 2].group_dies;
  const std::int64_t count = spec.width * spec.height;
  level.group_dies = level.child_dies * count;
  level.ports = std::min(spec.ports, level.child_dies);
  level.first_hub = nodes_;
  level.first_link = static_cast<std::int64_t>(links_.size());
  if (count <= 1) return;
  const bool switched = spec.kind == TopologyKind::Switch;
  const Pairs pairs = switched ? Pairs{} : neighbours(level);
  for (std::int64_t base = 0; base < dies_; base += level.group_dies) {
    const auto die = [&](std::int64_t child, std::int64_t port) {
      return base + child * level.child_dies + port * (level.child_dies / level.ports);
    };
    if (switched) {
      // All ports of all children share a switch.
      const std::int64_t hub = nodes_++;
      for (std::int64_t child = 0; child < count; ++child)
        for (std::int64_t port = 0; port < level.ports; ++port)
          add_links(level, die(child, port), hub);
    }
    for (const auto& [a, b] : pairs)
      for (std::int64_t port = 0; port < level.ports; ++port)
        add_links(level, die(a, port), die(b, port));
    if (base == 0)
      level.links_per_group = static_cast<std::int64_t>(links_.size()) - level.first_link;
  }
}

/// There and back.
void Topology::add_links(const Level& level, std::int64_t a, std::int64_t b) {
  for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}})
    links_.push_back({.from = static_cast<std::int32_t>(from),
                      .to = static_cast<std::int32_t>(to),
                      .level = static_cast<std::int32_t>(&level - levels_.data()),
                      .params = level.spec.link,
                      .router = level.spec.router_latency,
                      .forward = level.spec.link.latency + level.spec.router_latency});
}

LinkId Topology::link_of(const Level& level, std::int64_t group, std::int64_t pair,
                         std::int64_t port, bool back) const {
  return LinkId{static_cast<std::uint32_t>(level.first_link + group * level.links_per_group +
                                           2 * (pair * level.ports + port) + (back ? 1 : 0))};
}

/// The port whose part of the child `die` belongs to.
std::int64_t Topology::port_of(const Level& level, std::int64_t die) const {
  if (level.child_dies == 1) return 0;  // the common case, and divisions are what routing costs
  return die % level.child_dies / (level.child_dies / level.ports);
}

/// The die that carries that port.
std::int64_t Topology::gateway(const Level& level, std::int64_t die) const {
  if (level.ports == level.child_dies) return die;
  return die - die % (level.child_dies / level.ports);
}

const Topology::Level& Topology::joining(std::int64_t from, std::int64_t to) const {
  for (const Level& level : levels_)
    if (from / level.group_dies == to / level.group_dies) return level;
  return levels_.back();
}

void Topology::walk(std::int64_t from, std::int64_t to, bool descends, const Ties& ties,
                    std::vector<Hop>& hops) const {
  if (from == to) return;
  const Level& level = joining(from, to);
  const std::int64_t out = gateway(level, from);
  if (level.spec.kind == TopologyKind::Switch) {
    const std::int64_t in = gateway(level, to);
    const std::int64_t group = from / level.group_dies;
    const auto port = [&](std::int64_t die) {
      return die % level.group_dies / level.child_dies * level.ports + port_of(level, die);
    };
    walk(from, out, descends, ties, hops);
    // The first port of a child is number child x ports: pair 0, that port.
    hops.push_back({link_of(level, group, 0, port(out), false), false, descends});
    hops.push_back({link_of(level, group, 0, port(in), true), false, descends});
    walk(in, to, true, ties, hops);
    return;
  }
  // Port p faces port p: a die with a link crosses first, others go to the port nearest the target.
  const std::int64_t port = port_of(level, out == from ? from : to);
  const auto at = [&](std::int64_t die) {
    return die - die % level.child_dies + port * (level.child_dies / level.ports);
  };
  walk(from, at(from), descends, ties, hops);
  const std::size_t begun = hops.size();
  cross(level, from, to % level.group_dies / level.child_dies, port, ties, hops);
  for (std::size_t i = begun; i < hops.size(); ++i) hops[i].descends = descends;
  walk(at(to), to, true, ties, hops);
}

/// From the child of `from` to another one, over port `port` of each.
void Topology::cross(const Level& level, std::int64_t from, std::int64_t child, std::int64_t port,
                     const Ties& ties, std::vector<Hop>& hops) const {
  const std::int64_t group = from / level.group_dies;
  std::int64_t cell = from % level.group_dies / level.child_dies;
  if (level.spec.kind == TopologyKind::FullyConnected) {
    const std::int64_t n = level.spec.width * level.spec.height;
    const std::int64_t low = std::min(cell, child), high = std::max(cell, child);
    const std::int64_t pair = low * (2 * n - low - 1) / 2 + high - low - 1;
    hops.push_back({link_of(level, group, pair, port, cell > child)});
    return;
  }
  const std::int64_t w = level.spec.width;
  along_ring(level, group, cell, child % w, false, port, ties.x_up, hops);
  along_ring(level, group, cell, child / w, true, port, ties.y_up, hops);
}

/// Moves `cell` along x (or y) to coordinate `to`.
void Topology::along_ring(const Level& level, std::int64_t group, std::int64_t& cell,
                          std::int64_t to, bool y, std::int64_t port, std::optional<bool> tie,
                          std::vector<Hop>& hops) const {
  const std::int64_t w = level.spec.width;
  const std::int64_t size = y ? level.spec.height : w;
  std::int64_t at = y ? cell / w : cell % w;
  if (at == to) return;
  bool up = to > at;
  bool wraps = false;
  if (is_ring(level.spec.kind) && size > 2) {
    const std::int64_t forward = (to - at + size) % size;
    up = 2 * forward < size || (2 * forward == size && tie.value_or(at % 2 == 0));
    wraps = up != (to > at);
  }
  const auto& pairs = y ? level.y_pairs : level.x_pairs;
  while (at != to) {
    const std::int64_t next = (at + (up ? 1 : size - 1)) % size;
    const std::int64_t beyond = y ? next * w + cell % w : cell - cell % w + next;
    const std::int64_t pair = pairs[static_cast<std::size_t>(up ? cell : beyond)];
    hops.push_back({link_of(level, group, pair, port, !up), wraps});
    cell = beyond;
    at = next;
  }
}

Topology::Channel Topology::channel(const Hop& hop) const {
  const std::int32_t level = links_[index(hop.link)].level;
  Channel channel;
  const auto split = [&](bool upper) {
    channel = {2 * channel.number + (upper ? 1 : 0), 2 * channel.of};
  };
  if (level + 1 < levels()) split(hop.descends);
  if (is_ring(levels_[static_cast<std::size_t>(level)].spec.kind)) split(hop.wraps);
  return channel;
}

void Topology::route(DieId from, DieId to, const Ties& ties, std::vector<Hop>& hops) const {
  walk(static_cast<std::int64_t>(index(from)), static_cast<std::int64_t>(index(to)), false, ties,
       hops);
}

std::vector<LinkId> Topology::path(DieId from, DieId to) const {
  std::vector<Hop> hops;
  route(from, to, {}, hops);
  std::vector<LinkId> links;
  for (const Hop& hop : hops) links.push_back(hop.link);
  return links;
}

std::optional<Topology::SwitchPort> Topology::switch_port(DieId die,
                                                          std::span<const DieId> all) const {
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  if (levels_.empty() || all.size() < 2) return std::nullopt;
  const Level& level =
      joining(static_cast<std::int64_t>(index(*low)), static_cast<std::int64_t>(index(*high)));
  const auto d = static_cast<std::int64_t>(index(die));
  if (level.spec.kind != TopologyKind::Switch || gateway(level, d) != d) return std::nullopt;
  const std::int64_t group = d / level.group_dies;
  const std::int64_t port =
      d % level.group_dies / level.child_dies * level.ports + port_of(level, d);
  return SwitchPort{static_cast<std::int32_t>(level.first_hub + group),
                    link_of(level, group, 0, port, false), link_of(level, group, 0, port, true)};
}

Topology::Reach Topology::measure(std::int64_t from, std::int64_t to) const {
  Reach reach;
  std::vector<Hop> hops;
  walk(from, to, false, {}, hops);
  for (const Hop& hop : hops) reach.latency += links_[index(hop.link)].forward;
  if (!hops.empty()) reach.latency -= links_[index(hops.back().link)].router;
  reach.hops = static_cast<std::int64_t>(hops.size());
  return reach;
}

/// Groups are alike, so the first one of a level stands for all, and two of its children that are
/// farthest apart for any two. A route consists of a way to a port, the crossing, and a way from a
/// port, so that the farthest of each add up: routes are measured ports x dies of a child times.
Topology::Reach Topology::farthest() const {
  Reach most;
  const auto take = [&](std::int64_t hops, Picoseconds latency) {
    most = {std::max(most.hops, hops), max(most.latency, latency)};
  };
  for (const Level& level : levels_) {
    const std::int64_t w = level.spec.width, h = level.spec.height;
    const std::int64_t n = level.child_dies, block = n / level.ports;
    if (w * h <= 1) continue;
    const bool ring = is_ring(level.spec.kind);
    const bool grid = ring || level.spec.kind == TopologyKind::Mesh2d;
    const std::int64_t x = ring && w > 2 ? w / 2 : w - 1;
    const std::int64_t y = ring && h > 2 ? h / 2 : h - 1;
    const std::int64_t other = (grid ? y * w + x : 1) * n;
    const Reach crossing = measure(0, other);
    const Reach inside = most;  // the levels below
    take(crossing.hops, crossing.latency);
    if (level.ports == n && level.spec.kind != TopologyKind::Switch && inside.hops > 0)
      take(crossing.hops + inside.hops,
           crossing.latency + level.spec.router_latency + inside.latency);
    if (level.ports == n) continue;
    const bool switched = level.spec.kind == TopologyKind::Switch;
    Reach out, in;
    const auto widen = [](Reach& reach, const Reach& by) {
      reach = {std::max(reach.hops, by.hops), max(reach.latency, by.latency)};
    };
    for (std::int64_t port = 0; port < n; port += block) {
      if (!switched || port == 0) out = in = {};
      for (std::int64_t die = 0; die < n; ++die) {
        const bool near = die / block == port / block;
        const bool carries = die % block == 0;
        if (switched ? near : !carries) widen(out, measure(die, other + port));
        if (near) widen(in, measure(port, other + die));
        if (!switched) {
          const Reach direct = measure(port, other + die);
          take(direct.hops, direct.latency);
        }
      }
      take(out.hops + in.hops - crossing.hops, out.latency + in.latency - crossing.latency);
    }
  }
  return most;
}

std::int64_t Topology::diameter() const { return farthest().hops; }
Picoseconds Topology::diameter_latency() const { return farthest().latency; }

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
