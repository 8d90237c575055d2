// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/package/platform_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Reads the section `platform`; HBM tables are already filled in (fill_from_hbm_table).
PlatformSpec read_platform(const ConfigNode& node);

}  // namespace reticle
