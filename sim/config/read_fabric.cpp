// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_fabric.hpp"

#include <algorithm>

#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"

namespace reticle {

namespace {
bool has_height(TopologyKind kind) {
  return kind == TopologyKind::Mesh2d || kind == TopologyKind::Torus2d;
}

/// `children` of `child_dies` dies each are joined. Width and height follow from their number
/// unless stated; stated, they must agree with it (when there is anything to join).
FabricLevel read_level(const ConfigNode& node, std::int64_t children, std::int64_t child_dies) {
  FabricLevel level{
      .name = {},
      .kind = node.get<TopologyKind>("kind"),
      .width = children,
      .height = 1,
      .link = {.rate = node.get<BytesPerSecond>("rate", bounds::kRate),
               .latency = node.get<Picoseconds>("latency", bounds::kLatency),
               .buffer = node.get<Bytes>("buffer", bounds::kSize)},
      .router_latency =
          node.get<Picoseconds>("router_latency", FabricLevel{}.router_latency, bounds::kLatency),
      .ports = node.get<std::int64_t>("ports", FabricLevel{}.ports, bounds::kCount),
      .adds = node.get<bool>("in_switch_reduction", FabricLevel{}.adds),
  };
  if (node.has("height")) level.height = node.get<std::int64_t>("height", bounds::kCount);
  level.width = children / level.height;
  if (node.has("width")) level.width = node.get<std::int64_t>("width", bounds::kCount);

  if (level.height > 1)
    node.check("height", has_height(level.kind), "must be 1 unless kind is mesh2d or torus2d");
  if (children > 1 && level.width * level.height != children)
    node.fail(node.has("width") ? "width" : "height",
              "width x height must be the " + std::to_string(children) + " joined here, got " +
                  std::to_string(level.width) + " x " + std::to_string(level.height));
  node.check("in_switch_reduction", !level.adds || level.kind == TopologyKind::Switch,
             "must be false unless kind is switch");
  // A platform cut down to fewer dies keeps its file: more ports than dies means all of them.
  level.ports = std::min(level.ports, child_dies);
  node.check("ports", children == 1 || child_dies % level.ports == 0,
             "must divide the " + std::to_string(child_dies) + " dies joined as one");
  node.reject_unknown_keys();
  return level;
}
}  // namespace

FabricParams read_fabric(const ConfigNode& node, const Nesting& nesting) {
  const std::array<std::int64_t, kFabricLevels.size()> children{
      nesting.dies_per_package, nesting.packages_per_node, nesting.nodes};
  FabricParams params;
  std::int64_t child_dies = 1;
  for (std::size_t i = 0; i < kFabricLevels.size(); ++i) {
    const auto section = node.find_child(kFabricLevels[i]);
    if (!section && children[i] > 1)
      node.fail(kFabricLevels[i],
                "required section is missing: it joins " + std::to_string(children[i]) + " parts");
    if (section) {
      FabricLevel level = read_level(*section, children[i], child_dies);
      level.name = kFabricLevels[i];
      if (children[i] > 1) params.levels.push_back(std::move(level));
    }
    child_dies *= children[i];
  }
  params.form = node.get<ModelForm>("form", params.form);
  params.exchange_overhead =
      node.get<Picoseconds>("exchange_overhead", params.exchange_overhead, bounds::kLatency);
  node.reject_unknown_keys();
  return params;
}

}  // namespace reticle
