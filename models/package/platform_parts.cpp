// SPDX-License-Identifier: Apache-2.0
#include "models/package/platform_parts.hpp"

#include <string>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// How many dies, packages or nodes there are, and which fabric level joins them. Levels that would
/// join one child alone are not listed.
struct Nesting {
  std::int64_t PlatformSpec::*count;
  std::size_t level;
};
Nesting nesting(const PlatformSpec& p, std::int64_t PlatformSpec::*count) {
  std::size_t level = 0;
  if (count != &PlatformSpec::dies_per_package) level += p.dies_per_package > 1;
  if (count == &PlatformSpec::nodes) level += p.packages_per_node > 1;
  return {count, level};
}

/// Cuts one nesting down to `count` children; those of a mesh keep their rows' length.
void resize(PlatformSpec& platform, const Nesting& at, std::int64_t count) {
  auto& levels = platform.fabric.levels;
  if (platform.*at.count == 1 || platform.*at.count == count) return;
  platform.*at.count = count;
  if (count == 1) {
    const auto offset = static_cast<std::ptrdiff_t>(at.level);
    levels.erase(levels.begin() + offset);
    auto& prices = platform.energy.link_pj_per_bit;
    if (at.level < prices.size()) prices.erase(prices.begin() + offset);
    return;
  }
  FabricLevel& level = levels[at.level];
  if (level.height > 1)
    level.height = count / level.width;
  else
    level.width = count;
}
}  // namespace

PlatformSpec part_of(const PlatformSpec& platform, std::int64_t parts) {
  const auto refuse = [&](const std::string& why) {
    throw InfeasibleError(platform.name + " cannot be cut into " + std::to_string(parts) +
                          " equal parts: " + why);
  };
  PlatformSpec part = platform;
  if (platform.nodes % parts == 0) {
    resize(part, nesting(platform, &PlatformSpec::nodes), platform.nodes / parts);
    return part;
  }
  const std::int64_t per_node = parts / platform.nodes;
  if (parts % platform.nodes != 0 || platform.packages_per_node % per_node != 0)
    refuse("it has " + std::to_string(platform.nodes) + " nodes of " +
           std::to_string(platform.packages_per_node) + " packages");
  resize(part, nesting(part, &PlatformSpec::nodes), 1);
  const Nesting packages = nesting(part, &PlatformSpec::packages_per_node);
  const TopologyKind kind = part.fabric.levels[packages.level].kind;
  if (kind != TopologyKind::Switch && kind != TopologyKind::FullyConnected)
    refuse("the packages of a node share their links");
  resize(part, packages, platform.packages_per_node / per_node);
  return part;
}

std::vector<PlatformSpec> without_a_die(const PlatformSpec& platform) {
  auto count = &PlatformSpec::dies_per_package;
  if (platform.packages_per_node > 1) count = &PlatformSpec::packages_per_node;
  if (platform.nodes > 1) count = &PlatformSpec::nodes;
  const Nesting at = nesting(platform, count);
  std::vector<PlatformSpec> out;
  if (platform.*count == 1) return out;
  const FabricLevel& level = platform.fabric.levels[at.level];
  const std::int64_t row = level.height > 1 ? level.width : 1;
  for (std::int64_t left = platform.*count - 1; left >= 1; --left) {
    if (left % row != 0) continue;
    out.push_back(platform);
    resize(out.back(), at, left);
  }
  return out;
}

}  // namespace reticle
