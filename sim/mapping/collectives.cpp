// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/collectives.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/mapping/partition.hpp"

namespace reticle {

namespace {
constexpr std::size_t kMostKept = 4096;

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

Exchange all_reduce(const DieGroup& group, Bytes bytes, AllReduceKind kind,
                    std::int64_t dies_per_package) {
  if (group.count <= 1) return with_participants(group);
  switch (kind) {
    case AllReduceKind::Ring:
      return ring(group, bytes.count());
    case AllReduceKind::Hierarchical:
      return hierarchical(group, bytes.count(), dies_per_package);
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

Collectives::Collectives(const PlatformSpec& platform)
    : dies_per_package_{platform.dies_per_package}, fabric_{platform.fabric} {}

bool Collectives::spans_packages_evenly(const DieGroup& group) const {
  return group.stride == 1 && dies_per_package_ > 1 && group.count > dies_per_package_ &&
         group.count % dies_per_package_ == 0 && group.first % dies_per_package_ == 0;
}

const FabricLevel* Collectives::level_between(const DieGroup& group) const {
  const std::int64_t last = group.first + (group.count - 1) * group.stride;
  std::int64_t size = 1;
  for (const FabricLevel& level : fabric_.levels) {
    size *= level.width * level.height;
    if (group.first / size == last / size) return &level;
  }
  return fabric_.levels.empty() ? nullptr : &fabric_.levels.back();
}

/// Idle-fabric closed forms: latency of the phases plus the busiest die's bytes over one link.
Picoseconds Collectives::estimate(AllReduceKind kind, const DieGroup& group, Bytes bytes) const {
  const FabricLevel* level = level_between(group);
  if (!level || group.count <= 1) return Picoseconds{0};
  const std::int64_t n = group.count;
  const bool switched = level->kind == TopologyKind::Switch;
  const Picoseconds hop = (switched ? 2 : 1) * (level->link.latency + level->router_latency);
  // Through a switch a die's messages share its one port; point-to-point they have a link each.
  const auto time = [&](const FabricLevel& at, std::int64_t total, std::int64_t peers) {
    const bool shared = at.kind != TopologyKind::FullyConnected;
    return transfer_time(Bytes{shared ? total : div_up(total, std::max<std::int64_t>(1, peers))},
                         at.link.rate);
  };
  const Picoseconds start = fabric_.exchange_overhead;
  switch (kind) {
    case AllReduceKind::OneShot:
      return start + hop + time(*level, (n - 1) * bytes.count(), n - 1);
    case AllReduceKind::Direct:
      return start + 2 * (hop + time(*level, (n - 1) * bytes.count() / n, n - 1));
    case AllReduceKind::Ring:
      return start + 2 * (n - 1) * (hop + time(*level, div_up(bytes.count(), n), 1));
    case AllReduceKind::Hierarchical: {
      const FabricLevel& inner = fabric_.levels.front();
      const std::int64_t a = dies_per_package_;
      const std::int64_t b = n / a;
      const Picoseconds near = inner.link.latency + inner.router_latency +
                               time(inner, (a - 1) * bytes.count() / a, a - 1);
      return start + 2 * near + 2 * (hop + time(*level, (b - 1) * bytes.count() / (a * b), b - 1));
    }
  }
  return start;
}

AllReduceKind Collectives::choose(const DieGroup& group, Bytes bytes) const {
  AllReduceKind best = AllReduceKind::Direct;
  const FabricLevel* level = level_between(group);
  for (const auto kind :
       {AllReduceKind::OneShot, AllReduceKind::Ring, AllReduceKind::Hierarchical}) {
    if (kind == AllReduceKind::Hierarchical && !spans_packages_evenly(group)) continue;
    if (kind == AllReduceKind::Ring && (!level || level->kind == TopologyKind::Switch ||
                                        level->kind == TopologyKind::FullyConnected))
      continue;
    if (estimate(kind, group, bytes) < estimate(best, group, bytes)) best = kind;
  }
  return best;
}

Picoseconds Collectives::estimate_all_reduce(const DieGroup& group, Bytes bytes) const {
  return estimate(choose(group, bytes), group, bytes);
}

std::shared_ptr<const Exchange> Collectives::keep(const Key& key,
                                                  const std::function<Exchange()>& build) {
  if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  if (kept_.size() >= kMostKept) kept_.clear();
  return kept_[key] = std::make_shared<const Exchange>(build());
}

std::shared_ptr<const Exchange> Collectives::reduce_all(const DieGroup& group, Bytes bytes) {
  return keep({0, group, {}, bytes.count()},
              [&] { return all_reduce(group, bytes, choose(group, bytes), dies_per_package_); });
}
std::shared_ptr<const Exchange> Collectives::gather_all(const DieGroup& group, Bytes bytes) {
  return keep({1, group, {}, bytes.count()}, [&] { return all_gather(group, bytes); });
}
std::shared_ptr<const Exchange> Collectives::scatter_sums(const DieGroup& group, Bytes bytes) {
  return keep({2, group, {}, bytes.count()}, [&] { return reduce_scatter(group, bytes); });
}
std::shared_ptr<const Exchange> Collectives::send(const DieGroup& from, const DieGroup& to,
                                                  Bytes bytes) {
  return keep({3, from, to, bytes.count()}, [&] { return peer_to_peer(from, to, bytes); });
}

}  // namespace reticle
