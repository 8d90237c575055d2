// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/expert_groups.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>

namespace reticle {

namespace {

std::vector<std::int32_t> by_number(std::size_t experts, std::int64_t groups) {
  std::vector<std::int32_t> home;
  for (std::size_t e = 0; e < experts; ++e)
    home.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(e) * groups /
                                             static_cast<std::int64_t>(experts)));
  return home;
}

std::vector<std::size_t> hottest_first(std::span<const double> heat) {
  std::vector<std::size_t> order(heat.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return heat[a] > heat[b]; });
  return order;
}

/// The expert groups with what they have so far.
struct Groups {
  std::vector<double> load;
  std::vector<std::int64_t> room;  ///< experts that each takes still

  Groups(std::size_t blocks, std::int64_t groups)
      : load(static_cast<std::size_t>(groups)), room(load.size()) {
    for (const std::int32_t group : by_number(blocks, groups))
      ++room[static_cast<std::size_t>(group)];
  }
  /// The one with least to do but for `other`, with room if there is such a one.
  [[nodiscard]] std::size_t least(std::optional<std::size_t> other) const {
    const auto before = [&](std::size_t a, std::size_t b) {
      return std::tuple{other == a, room[a] <= 0, load[a]} <
             std::tuple{other == b, room[b] <= 0, load[b]};
    };
    std::size_t best = 0;
    for (std::size_t g = 1; g < load.size(); ++g)
      if (before(g, best)) best = g;
    return best;
  }
  std::int32_t add(std::size_t group, double heat) {
    load[group] += heat;
    --room[group];
    return static_cast<std::int32_t>(group);
  }
};

/// Copies are made first and dealt with all others: added to groups in balance they would undo it.
void greedy(std::span<const double> heat, std::int64_t groups, ExpertGroups& out) {
  struct Block {
    std::size_t expert;
    double heat;
  };
  std::vector<Block> blocks;
  for (std::size_t e = 0; e < heat.size(); ++e) {
    blocks.push_back({e, out.copy[e] ? heat[e] / 2 : heat[e]});
    if (out.copy[e]) blocks.push_back(blocks.back());
  }
  std::ranges::stable_sort(blocks, std::ranges::greater{}, &Block::heat);
  Groups all{blocks.size(), groups};
  std::vector<std::optional<std::size_t>> home(heat.size());
  for (const Block& b : blocks) {
    const std::size_t group = all.least(home[b.expert]);
    std::int32_t& place = home[b.expert] ? *out.copy[b.expert] : out.home[b.expert];
    place = all.add(group, b.heat);
    home[b.expert] = group;
  }
}

}  // namespace

std::vector<double> expected_loads(std::span<const double> heat, const ExpertGroups& dealt,
                                   std::int64_t groups) {
  std::vector<double> load(static_cast<std::size_t>(groups));
  for (std::size_t e = 0; e < heat.size(); ++e) {
    const double mine = dealt.copy[e] ? heat[e] / 2 : heat[e];
    load[static_cast<std::size_t>(dealt.home[e])] += mine;
    if (dealt.copy[e]) load[static_cast<std::size_t>(*dealt.copy[e])] += mine;
  }
  return load;
}

ExpertGroups deal_experts(std::span<const double> heat, std::int64_t groups, ExpertBalance balance,
                          std::int64_t redundant) {
  ExpertGroups out{by_number(heat.size(), groups), {}};
  out.copy.resize(heat.size());
  std::vector<std::size_t> copied;
  if (groups > 1) copied = hottest_first(heat);
  copied.resize(std::min(copied.size(), static_cast<std::size_t>(redundant)));
  if (balance == ExpertBalance::Greedy) {
    for (const std::size_t e : copied) out.copy[e] = 0;
    greedy(heat, groups, out);
    return out;
  }
  Groups all{heat.size(), groups};
  all.load = expected_loads(heat, out, groups);
  std::ranges::fill(all.room, std::ssize(heat));
  for (const std::size_t e : copied) {
    const auto home = static_cast<std::size_t>(out.home[e]);
    all.load[home] -= heat[e] / 2;
    out.copy[e] = all.add(all.least(home), heat[e] / 2);
  }
  return out;
}

}  // namespace reticle
