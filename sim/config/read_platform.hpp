// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/package/platform_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Reads the section `platform`; tables (HBM, tiers, links) are already filled in.
PlatformSpec read_platform(const ConfigNode& node);

}  // namespace reticle
