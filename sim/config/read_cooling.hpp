// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/package/cooling_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// The section `cooling` of a platform, completed by the table of its class (configs/cooling).
CoolingParams read_cooling(const ConfigNode& node);

/// A table as it stands in its file. Throws ConfigError.
void check_cooling_table(const ConfigNode& node);

}  // namespace reticle
