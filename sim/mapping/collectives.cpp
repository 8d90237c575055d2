// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/collectives.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "sim/base/error.hpp"
#include "sim/mapping/partition.hpp"

namespace reticle {

namespace {
constexpr std::size_t kMostKept = 4096;  // exchanges: a bound on memory, not on what is found

Exchange with_participants(const DieGroup& group) {
  Exchange exchange;
  for (std::int64_t i = 0; i < group.count; ++i)
    exchange.participants.push_back(
        DieId{static_cast<std::uint32_t>(group.first + i * group.stride)});
  return exchange;
}

/// One phase in which every slot of the subset sends `bytes(source, target)` to every other; the
/// i-th slot begins with its neighbour i + 1, so that no receiver is everybody's first.
void add_all_pairs(std::vector<Message>& phase, std::span<const std::int32_t> slots,
                   const std::function<std::int64_t(std::size_t, std::size_t)>& bytes) {
  const std::size_t n = slots.size();
  for (std::size_t distance = 1; distance < n; ++distance)
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t t = (s + distance) % n;
      if (bytes(s, t) > 0) phase.push_back({slots[s], slots[t], Bytes{bytes(s, t)}});
    }
}

std::vector<std::int32_t> slots(std::int64_t first, std::int64_t count, std::int64_t stride) {
  std::vector<std::int32_t> list;
  for (std::int64_t i = 0; i < count; ++i)
    list.push_back(static_cast<std::int32_t>(first + i * stride));
  return list;
}

/// Reduce-scatter then all-gather of `total` bytes over `members`, appended as two phases.
void add_direct(Exchange& exchange, std::size_t phase, std::span<const std::int32_t> members,
                std::int64_t total) {
  const auto n = static_cast<std::int64_t>(members.size());
  if (exchange.phases.size() < phase + 2) exchange.phases.resize(phase + 2);
  add_all_pairs(exchange.phases[phase], members, [&](std::size_t, std::size_t t) {
    return share(total, n, static_cast<std::int64_t>(t));
  });
  add_all_pairs(exchange.phases[phase + 1], members, [&](std::size_t s, std::size_t) {
    return share(total, n, static_cast<std::int64_t>(s));
  });
}

Exchange ring(const DieGroup& group, std::int64_t total) {
  Exchange exchange = with_participants(group);
  const std::int64_t n = group.count;
  for (std::int64_t step = 0; step < 2 * (n - 1); ++step) {
    auto& phase = exchange.phases.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t chunk = ((i - step) % n + n) % n;
      const std::int64_t bytes = share(total, n, chunk);
      if (bytes > 0)
        phase.push_back(
            {static_cast<std::int32_t>(i), static_cast<std::int32_t>((i + 1) % n), Bytes{bytes}});
    }
  }
  return exchange;
}

/// Phases of a binomial tree rooted at slot 0, from the root outwards or (sums) towards it.
void add_tree(Exchange& exchange, std::int64_t n, std::int64_t bytes, bool towards_root) {
  std::vector<std::int64_t> distances;
  for (std::int64_t d = 1; d < n; d *= 2) distances.push_back(d);
  if (!towards_root) std::reverse(distances.begin(), distances.end());
  for (const std::int64_t d : distances) {
    auto& phase = exchange.phases.emplace_back();
    if (bytes == 0) continue;
    for (std::int64_t near = 0; near + d < n; near += 2 * d) {
      const auto parent = static_cast<std::int32_t>(near), child = parent + std::int32_t(d);
      phase.push_back(towards_root ? Message{child, parent, Bytes{bytes}}
                                   : Message{parent, child, Bytes{bytes}});
    }
  }
}

Exchange hierarchical(const DieGroup& group, std::int64_t total, std::int64_t inside) {
  Exchange exchange = with_participants(group);
  const std::int64_t packages = group.count / inside;
  exchange.phases.resize(4);
  for (std::int64_t p = 0; p < packages; ++p) {
    const auto members = slots(p * inside, inside, 1);
    add_all_pairs(exchange.phases[0], members, [&](std::size_t, std::size_t t) {
      return share(total, inside, static_cast<std::int64_t>(t));
    });
    add_all_pairs(exchange.phases[3], members, [&](std::size_t s, std::size_t) {
      return share(total, inside, static_cast<std::int64_t>(s));
    });
  }
  for (std::int64_t i = 0; i < inside; ++i)
    add_direct(exchange, 1, slots(i, packages, inside), share(total, inside, i));
  // Subsets side by side, not one after the other: the k-th messages of all come before the k+1st.
  const auto interleave = [](std::vector<Message>& phase, std::int64_t subsets) {
    const std::size_t each = phase.size() / static_cast<std::size_t>(subsets);
    std::vector<Message> mixed;
    for (std::size_t k = 0; k < each; ++k)
      for (std::size_t subset = 0; subset < static_cast<std::size_t>(subsets); ++subset)
        mixed.push_back(phase[subset * each + k]);
    if (mixed.size() == phase.size()) phase = std::move(mixed);  // else some messages were empty
  };
  interleave(exchange.phases[0], packages);
  interleave(exchange.phases[1], inside);
  interleave(exchange.phases[2], inside);
  interleave(exchange.phases[3], packages);
  return exchange;
}
}  // namespace

std::string_view name_of(AllReduceKind kind) {
  constexpr std::array<std::string_view, 7> kNames{
      "one-shot", "direct", "ring", "bulk ring", "tree", "hierarchical", "in-switch"};
  return kNames[static_cast<std::size_t>(kind)];
}

Exchange broadcast(const DieGroup& group, Bytes bytes, BroadcastKind kind) {
  Exchange exchange = with_participants(group);
  if (group.count <= 1) return exchange;
  if (kind == BroadcastKind::Tree) {
    add_tree(exchange, group.count, bytes.count(), false);
    return exchange;
  }
  auto& phase = exchange.phases.emplace_back();
  if (kind == BroadcastKind::InSwitch) phase.push_back({0, kInSwitch, bytes});
  if (kind == BroadcastKind::OneShot)
    for (const std::int32_t slot : slots(1, group.count - 1, 1)) phase.push_back({0, slot, bytes});
  return exchange;
}

Exchange all_reduce(const DieGroup& group, Bytes bytes, AllReduceKind kind, std::int64_t inside) {
  if (group.count <= 1) return with_participants(group);
  switch (kind) {
    case AllReduceKind::Ring:
    case AllReduceKind::BulkRing:
      return ring(group, bytes.count());
    case AllReduceKind::Hierarchical:
      return hierarchical(group, bytes.count(), inside);
    case AllReduceKind::Tree: {
      Exchange exchange = with_participants(group);
      add_tree(exchange, group.count, bytes.count(), true);
      add_tree(exchange, group.count, bytes.count(), false);
      return exchange;
    }
    case AllReduceKind::InSwitch: {
      Exchange exchange = with_participants(group);
      auto& phase = exchange.phases.emplace_back();
      for (const std::int32_t slot : slots(0, group.count, 1))
        phase.push_back({slot, kInSwitch, bytes});
      return exchange;
    }
    case AllReduceKind::OneShot: {
      Exchange exchange = with_participants(group);
      add_all_pairs(exchange.phases.emplace_back(), slots(0, group.count, 1),
                    [&](std::size_t, std::size_t) { return bytes.count(); });
      return exchange;
    }
    case AllReduceKind::Direct: {
      Exchange exchange = with_participants(group);
      add_direct(exchange, 0, slots(0, group.count, 1), bytes.count());
      return exchange;
    }
  }
  fail_invariant("no such all-reduce", std::source_location::current());
}

Exchange all_gather(const DieGroup& group, Bytes bytes) {
  Exchange exchange = with_participants(group);
  add_all_pairs(exchange.phases.emplace_back(), slots(0, group.count, 1),
                [&](std::size_t s, std::size_t) {
                  return share(bytes.count(), group.count, static_cast<std::int64_t>(s));
                });
  return exchange;
}

Exchange reduce_scatter(const DieGroup& group, Bytes bytes) {
  Exchange exchange = with_participants(group);
  add_all_pairs(exchange.phases.emplace_back(), slots(0, group.count, 1),
                [&](std::size_t, std::size_t t) {
                  return share(bytes.count(), group.count, static_cast<std::int64_t>(t));
                });
  return exchange;
}

Exchange all_to_all(std::span<const DieId> participants, std::span<const std::int64_t> sizes) {
  invariant(sizes.size() == participants.size() * participants.size(), "one size per pair");
  Exchange exchange;
  exchange.participants.assign(participants.begin(), participants.end());
  const auto members = slots(0, static_cast<std::int64_t>(participants.size()), 1);
  add_all_pairs(exchange.phases.emplace_back(), members,
                [&](std::size_t s, std::size_t t) { return sizes[s * participants.size() + t]; });
  return exchange;
}

Exchange peer_to_peer(const DieGroup& from, const DieGroup& to, Bytes bytes) {
  Exchange exchange = with_participants(from);
  const Exchange other = with_participants(to);
  exchange.participants.insert(exchange.participants.end(), other.participants.begin(),
                               other.participants.end());
  auto& phase = exchange.phases.emplace_back();
  for (std::int64_t i = 0; i < from.count; ++i)
    phase.push_back({static_cast<std::int32_t>(i),
                     static_cast<std::int32_t>(from.count + i % to.count), bytes});
  return exchange;
}

Collectives::Collectives(const PlatformSpec& platform, bool rank_order)
    : rank_order_{rank_order}, overhead_{platform.fabric.exchange_overhead} {
  if (platform.die.kernels) library_ = platform.die.kernels->collective;
  std::int64_t below = 1;
  for (const FabricLevel& spec : platform.fabric.levels) {
    const std::int64_t joined = below * spec.width * spec.height;
    levels_.push_back({joined, below / std::min(below, spec.ports), spec});
    below = joined;
  }
  if (levels_.empty()) levels_.push_back({});
}

bool Collectives::splits_evenly(const DieGroup& group, std::int64_t inside) const {
  return group.stride == 1 && inside > 1 && group.count > inside && group.count % inside == 0 &&
         group.first % inside == 0;
}

bool Collectives::meets_in_switch(const DieGroup& group) const {
  const Level& level = level_between(group);
  const bool ported = group.first % level.sharing == 0 && group.stride % level.sharing == 0;
  return level.spec.kind == TopologyKind::Switch && level.spec.adds && ported;
}

std::size_t Collectives::level_between(std::int64_t one, std::int64_t other) const {
  std::size_t level = 0;
  while (level + 1 < levels_.size() && one / levels_[level].dies != other / levels_[level].dies)
    ++level;
  return level;
}

const Collectives::Level& Collectives::level_between(const DieGroup& group) const {
  return levels_[level_between(group.first, group.first + (group.count - 1) * group.stride)];
}

namespace {
/// Links a message crosses at most, and how many dies' messages the busiest link carries, when
/// every child of a level sends alike to all others. On a line of k the middle link carries
/// k/2 x k/2 of k - 1 parts, on a ring half of that by going both ways round.
struct Spread {
  std::int64_t hops = 1;
  double load = 1;
};
Spread spread(const FabricLevel& spec) {
  const auto w = static_cast<double>(spec.width), h = static_cast<double>(spec.height);
  const double others = std::max(1.0, w * h - 1);
  switch (spec.kind) {
    case TopologyKind::Switch:
      return {2, 1};
    case TopologyKind::FullyConnected:
      return {1, 1};
    case TopologyKind::Ring:
      // mean hops = w / 4, two links
      return {std::max<std::int64_t>(1, spec.width / 2), w * w / 8 / others};
    case TopologyKind::Mesh2d:
      return {spec.width + spec.height - 2,
              std::max(w, h) * w * h / 4 / others};  // bisection, both ways
    case TopologyKind::Torus2d:
      return {std::max<std::int64_t>(1, spec.width / 2 + spec.height / 2),
              std::max(w, h) * w * h / 8 / others};  // as of the ring
  }
  return {};
}
}  // namespace

/// Latency of the way plus the busiest link's bytes.
Picoseconds Collectives::phase(const Level& level, std::int64_t bytes_per_die,
                               std::int64_t peers) const {
  const FabricLevel& spec = level.spec;
  if (spec.link.rate.count() == 0 || bytes_per_die <= 0) return Picoseconds{0};
  Spread s = spread(spec);
  // To one neighbour: a link of its own, except that a grid's rows end far from where they begin.
  if (peers == 1) {
    s.load = 1;
    if (spec.kind == TopologyKind::Ring) s.hops = 1;
    if (spec.kind == TopologyKind::Mesh2d) s.hops = spec.width;
    if (spec.kind == TopologyKind::Torus2d) s.hops = std::min<std::int64_t>(2, spec.width);
  }
  // Into the switch, through it and out; or over wires and through the dies between.
  const Picoseconds way = s.hops * spec.link.latency + (s.hops - 1) * spec.router_latency;
  // Point to point, a die has a link for each peer; else its messages, and those of the dies it
  // shares a port with, go through one.
  const bool own_links = spec.kind == TopologyKind::FullyConnected && level.sharing == 1;
  const std::int64_t on_link = own_links ? div_up(bytes_per_die, std::max<std::int64_t>(1, peers))
                                         : bytes_per_die * level.sharing;
  const auto busiest = static_cast<std::int64_t>(static_cast<double>(on_link) * s.load);
  return way + transfer_time(Bytes{busiest}, spec.link.rate);
}

namespace {
Exchange as_kernel(Exchange exchange, Picoseconds start, const ProtocolParams& protocol) {
  exchange.start = start + protocol.step;
  exchange.step = protocol.step;
  for (auto& phase : exchange.phases)
    for (Message& m : phase)
      m.bytes = Bytes{div_up(m.bytes.count() * protocol.wire_permille, 1000)};
  return exchange;
}
}  // namespace

Exchange Collectives::as_direct(Exchange exchange) const {
  if (!library_) return exchange;
  return as_kernel(std::move(exchange), library_->start, {{}, library_->direct_permille});
}

Exchange Collectives::as_dispatch(Exchange exchange, bool bulk) const {
  if (!library_) return exchange;
  return as_kernel(std::move(exchange), {}, bulk ? library_->dispatch_bulk : library_->dispatch);
}

Exchange Collectives::as_library(Exchange exchange, bool bulk) const {
  if (!library_) return exchange;
  ProtocolParams protocol = bulk ? library_->bulk : library_->latency;
  // A participant's own part goes through the same channels: copied once, where what goes to a
  // peer is copied into a buffer and out of it.
  const auto peers = std::max<std::int64_t>(1, std::ssize(exchange.participants) - 1);
  protocol.wire_permille = div_up(protocol.wire_permille * (2 * peers + 1), 2 * peers);
  return as_kernel(std::move(exchange), library_->ring_start, protocol);
}

Exchange Collectives::reduction(const Choice& choice, const DieGroup& group, Bytes bytes) const {
  Exchange exchange = all_reduce(group, bytes, choice.kind, choice.inside);
  if (!library_) return exchange;
  if (choice.kind == AllReduceKind::Ring) return as_library(std::move(exchange), false);
  if (choice.kind == AllReduceKind::BulkRing) return as_library(std::move(exchange), true);
  return as_direct(std::move(exchange));
}

/// Idle-fabric closed forms.
Picoseconds Collectives::estimate(const Choice& choice, const DieGroup& group, Bytes bytes) const {
  if (group.count <= 1) return Picoseconds{0};
  if (library_) return estimate(reduction(choice, group, bytes));
  const Level& level = level_between(group);
  const std::int64_t n = group.count;
  const std::int64_t total = bytes.count();
  switch (choice.kind) {
    case AllReduceKind::OneShot:
      return overhead_ + phase(level, (n - 1) * total, n - 1);
    case AllReduceKind::Direct:
      return overhead_ + 2 * phase(level, (n - 1) * total / n, n - 1);
    case AllReduceKind::Ring:
    case AllReduceKind::BulkRing:
      return overhead_ + 2 * (n - 1) * phase(level, div_up(total, n), 1);
    case AllReduceKind::Tree:
      return overhead_ +
             2 * std::bit_width(static_cast<std::uint64_t>(n - 1)) * phase(level, total, 1);
    case AllReduceKind::InSwitch:
      return overhead_ + phase(level, total, 1);
    case AllReduceKind::Hierarchical: {
      const std::int64_t a = choice.inside;
      const std::int64_t b = n / a;
      return overhead_ + 2 * phase(level_between({group.first, a, 1}), (a - 1) * total / a, a - 1) +
             2 * phase(level, (b - 1) * total / n, b - 1);
    }
  }
  return overhead_;
}

Picoseconds Collectives::estimate(const Exchange& exchange) const {
  struct Traffic {
    std::int64_t out = 0, in = 0, peers = 0;
  };
  const auto& dies = exchange.participants;
  const auto last = static_cast<std::int32_t>(dies.size()) - 1;
  const auto die = [&](std::int32_t slot) {
    return static_cast<std::int64_t>(index(dies[static_cast<std::size_t>(slot)]));
  };
  std::vector<Traffic> traffic(levels_.size() * dies.size());  // [level][slot]
  const auto steps = std::max<std::int64_t>(0, std::ssize(exchange.phases) - 1);
  Picoseconds sum = overhead_ + exchange.start + steps * exchange.step;
  for (const auto& messages : exchange.phases) {
    std::fill(traffic.begin(), traffic.end(), Traffic{});
    for (const Message& m : messages) {
      const bool to_switch = m.target == kInSwitch;  // it joins the first and the last
      const std::int32_t target = to_switch ? (m.source == 0 ? last : 0) : m.target;
      Traffic* const level = &traffic[level_between(die(m.source), die(target)) * dies.size()];
      level[m.source].out += m.bytes.count();
      ++level[m.source].peers;
      if (!to_switch) level[target].in += m.bytes.count();
    }
    Picoseconds longest{};
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      std::int64_t bytes = 0, peers = 0;
      for (std::size_t slot = 0; slot < dies.size(); ++slot) {
        const Traffic& t = traffic[l * dies.size() + slot];
        bytes = std::max({bytes, t.out, t.in});
        peers = std::max(peers, t.peers);
      }
      if (peers > 0) longest = max(longest, phase(levels_[l], bytes, peers));
    }
    sum += longest;
  }
  return sum;
}

/// All-reduces that the topology between the dies of `group` has a use for; of equals the first.
std::vector<Collectives::Choice> Collectives::candidates(const DieGroup& group) const {
  const TopologyKind kind = level_between(group).spec.kind;
  // What the libraries of GPUs have: direct reads while messages are small, else rings, which begin
  // with another rank in every part.
  if (library_ && rank_order_) return {{AllReduceKind::OneShot, 1}};
  if (library_)
    return {{AllReduceKind::OneShot, 1}, {AllReduceKind::Ring, 1}, {AllReduceKind::BulkRing, 1}};
  std::vector<Choice> choices{{}, {AllReduceKind::OneShot, 1}};
  if (rank_order_) return choices;
  choices.push_back({AllReduceKind::Tree, 1});
  if (meets_in_switch(group)) choices.push_back({AllReduceKind::InSwitch, 1});
  if (kind != TopologyKind::Switch && kind != TopologyKind::FullyConnected)
    choices.push_back({AllReduceKind::Ring, 1});
  for (const Level& level : levels_)
    if (splits_evenly(group, level.dies))
      choices.push_back({AllReduceKind::Hierarchical, level.dies});
  return choices;
}

Collectives::Choice Collectives::choose(const DieGroup& group, Bytes bytes) const {
  const std::vector<Choice> choices = candidates(group);
  Choice best = choices.front();
  for (const Choice& choice : choices)
    if (estimate(choice, group, bytes) < estimate(best, group, bytes)) best = choice;
  return best;
}

namespace {
std::string size_text(Bytes size) {
  constexpr std::array<const char*, 3> kUnits{" KiB", " MiB", " GiB"};
  std::size_t unit = 0;
  std::int64_t count = size.count() / 1024;
  for (; count >= 1024 && unit + 1 < kUnits.size(); count /= 1024) ++unit;
  return std::to_string(count) + kUnits[unit];
}
std::string time_text(Picoseconds time) { return std::to_string(time.count() / 1000) + " ns"; }
}  // namespace

/// The closed forms of the best and the next algorithm.
std::string Collectives::compare(const DieGroup& group, Bytes bytes) const {
  std::vector<Choice> order = candidates(group);
  const auto time = [&](const Choice& c) { return estimate(c, group, bytes); };
  std::stable_sort(order.begin(), order.end(),
                   [&](const Choice& a, const Choice& b) { return time(a) < time(b); });
  const auto text = [&](const Choice& c) {
    return std::string{name_of(c.kind)} + " " + time_text(time(c));
  };
  return "closed form at " + size_text(bytes) + ": " + text(order[0]) +
         (order.size() > 1 ? ", next " + text(order[1]) : ", the only one");
}

std::vector<Collectives::Served> Collectives::served(const DieGroup& group) const {
  constexpr Bytes kLeast{1024}, kMost{std::int64_t{1} << 30};  // 1 KiB to 1 GiB: what is described
  std::vector<Served> list;
  for (Bytes bytes = kLeast; bytes <= kMost; bytes = 2 * bytes) {
    const Choice choice = choose(group, bytes);
    if (!list.empty() && list.back().choice.kind == choice.kind) continue;
    Served next{choice, {}, {}, compare(group, bytes)};
    if (!list.empty()) {
      // At its upper end the former one is closest to being beaten.
      next.above = list.back().up_to = Bytes{bytes.count() / 2};
      list.back().why = compare(group, *next.above);
    }
    list.push_back(std::move(next));
  }
  return list;
}

std::string Collectives::describe_choices(const DieGroup& group) const {
  std::string text;
  for (const Served& s : served(group))
    text += std::string{name_of(s.choice.kind)} + (s.up_to   ? " to " + size_text(*s.up_to) + ", "
                                                   : s.above ? " above"
                                                             : "");
  return text;
}

Picoseconds Collectives::estimate_all_reduce(const DieGroup& group, Bytes bytes) const {
  return estimate(choose(group, bytes), group, bytes);
}

Picoseconds Collectives::estimate_all_to_all(const DieGroup& group, Bytes bytes_per_die) const {
  if (group.count <= 1) return Picoseconds{0};
  return overhead_ + phase(level_between(group), bytes_per_die.count(), group.count - 1);
}

std::shared_ptr<const Exchange> Collectives::keep(const Key& key,
                                                  const std::function<Exchange()>& build) {
  if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  if (kept_.size() >= kMostKept) kept_.clear();
  return kept_[key] = std::make_shared<const Exchange>(build());
}

std::shared_ptr<const Exchange> Collectives::reduce_all(const DieGroup& group, Bytes bytes) {
  return keep({0, group, {}, bytes.count()},
              [&] { return reduction(choose(group, bytes), group, bytes); });
}
std::shared_ptr<const Exchange> Collectives::gather_all(const DieGroup& group, Bytes bytes) {
  return keep({1, group, {}, bytes.count()}, [&] { return as_direct(all_gather(group, bytes)); });
}
std::shared_ptr<const Exchange> Collectives::scatter_sums(const DieGroup& group, Bytes bytes) {
  return keep({2, group, {}, bytes.count()},
              [&] { return as_direct(reduce_scatter(group, bytes)); });
}
std::shared_ptr<const Exchange> Collectives::send(const DieGroup& from, const DieGroup& to,
                                                  Bytes bytes) {
  return keep({3, from, to, bytes.count()},  // kind of exchange
              [&] { return as_direct(peer_to_peer(from, to, bytes)); });
}

}  // namespace reticle
