// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "models/die/die_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// The section `silicon` of a die, completed by the table of its process node (configs/silicon).
SiliconParams read_silicon(const ConfigNode& node);

/// A table as it stands in its file, with nothing of a platform. Throws ConfigError.
void check_silicon_table(const ConfigNode& node);

/// The number that `path` (platform.die.silicon.wafer_usd, platform.die.fill) names; nullptr when
/// it names none that the die has.
double* silicon_value_at(DieParams& die, std::string_view path);

}  // namespace reticle
