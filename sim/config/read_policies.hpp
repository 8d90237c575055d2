// SPDX-License-Identifier: Apache-2.0
// Serving, placement and engine: sections whose keys all have defaults.
#pragma once

#include "sim/config/config_node.hpp"

namespace reticle {

ServingSpec read_serving(const ConfigNode& node);
PlacementPolicy read_placement(const ConfigNode& node);
EngineSpec read_engine(const ConfigNode& node);

}  // namespace reticle
