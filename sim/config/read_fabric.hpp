// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "models/fabric/fabric_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// How many of what nest in what.
struct Nesting {
  std::int64_t dies_per_package = 1;
  std::int64_t packages_per_node = 1;
  std::int64_t nodes = 1;
};

/// The levels of the hierarchy, as they are configured and called.
inline constexpr std::array<std::string_view, 3> kFabricLevels{"package", "node", "scale_out"};

/// Reads every level the section describes and keeps those that join more than one child, so that
/// the sizes of the levels multiply to the number of dies. Every such level must be described.
FabricParams read_fabric(const ConfigNode& node, const Nesting& nesting);

}  // namespace reticle
