// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/hbm/hbm_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Completes the section `hbm` of a die by the table its key `standard` names (configs/hbm), and
/// `energy.hbm` of the platform by that table's `energy`; what the sections say themselves stays.
void fill_from_hbm_table(ConfigTree& platform, ConfigTree& hbm, std::string_view path);

HbmParams read_hbm(const ConfigNode& node);

/// A timing table as it stands in its file, with nothing of a platform. Throws ConfigError.
void check_hbm_table(const ConfigNode& node);

}  // namespace reticle
