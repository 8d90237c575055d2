// SPDX-License-Identifier: Apache-2.0
#include "models/package/platform_parts.hpp"

#include <doctest/doctest.h>

#include "sim/base/error.hpp"

using namespace reticle;

namespace {
/// 3 nodes of 8 packages of 4 dies.
PlatformSpec three_levels(TopologyKind in_node = TopologyKind::Switch) {
  PlatformSpec p;
  p.name = "p";
  p.dies_per_package = 4;
  p.packages_per_node = 8;
  p.nodes = 3;
  FabricLevel package, node, cluster;
  package.name = "package";
  package.kind = TopologyKind::Mesh2d;
  package.width = package.height = 2;
  node.name = "node";
  node.kind = in_node;
  node.width = 8;
  cluster.name = "scale_out";
  cluster.kind = TopologyKind::Switch;
  cluster.width = 3;
  p.fabric.levels = {package, node, cluster};
  p.energy.link_pj_per_bit = {1, 2, 3};
  return p;
}

/// The product of the levels' sizes: what a topology is built of.
std::int64_t joined(const PlatformSpec& p) {
  std::int64_t n = 1;
  for (const FabricLevel& level : p.fabric.levels) n *= level.width * level.height;
  return n;
}
}  // namespace

TEST_CASE("parts: whole nodes, and then no level joins nodes any more") {
  const PlatformSpec part = part_of(three_levels(), 3);
  CHECK(part.nodes == 1);
  CHECK(part.fabric.levels.size() == 2);
  CHECK(part.energy.link_pj_per_bit == std::vector<double>{1, 2});
  CHECK(joined(part) == dies(part));
}

TEST_CASE("parts: packages of a node behind a switch") {
  const PlatformSpec part = part_of(three_levels(), 6);
  CHECK(part.packages_per_node == 4);
  CHECK(dies(part) == 16);
  CHECK(joined(part) == dies(part));
  const PlatformSpec one = part_of(three_levels(), 24);
  CHECK(dies(one) == 4);
  CHECK(one.fabric.levels.size() == 1);
}

TEST_CASE("parts: packages that share their links, and parts that would be unequal, are refused") {
  CHECK_THROWS_AS(part_of(three_levels(TopologyKind::Ring), 6), InfeasibleError);
  CHECK_THROWS_AS(part_of(three_levels(), 2), InfeasibleError);
  CHECK_THROWS_AS(part_of(three_levels(), 48), InfeasibleError);
}

TEST_CASE("parts: one part is the whole") { CHECK(dies(part_of(three_levels(), 1)) == 96); }

TEST_CASE("what is left without a die: nodes of several, packages of one, rows of a mesh") {
  auto left = without_a_die(three_levels());
  REQUIRE(left.size() == 2);
  CHECK(left[0].nodes == 2);
  CHECK(joined(left[0]) == dies(left[0]));
  left = without_a_die(part_of(three_levels(), 3));
  REQUIRE(left.size() == 7);
  CHECK(left[0].packages_per_node == 7);
  CHECK(joined(left[0]) == dies(left[0]));
  left = without_a_die(part_of(three_levels(), 24));
  REQUIRE(left.size() == 1);
  CHECK(left[0].dies_per_package == 2);
  CHECK(left[0].fabric.levels[0].height == 1);
  CHECK(joined(left[0]) == 2);
  PlatformSpec lone = part_of(three_levels(), 24);
  lone.dies_per_package = 1;
  lone.fabric.levels.clear();
  CHECK(without_a_die(lone).empty());
}
