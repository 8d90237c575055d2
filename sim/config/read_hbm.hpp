// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/hbm/hbm_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Completes the section `hbm` of a die by the timing table its key `standard` names
/// (configs/hbm); what the section says itself stays. `path` names the section in messages.
void fill_from_hbm_table(ConfigTree& hbm, std::string_view path);

HbmParams read_hbm(const ConfigNode& node);

/// A timing table as it stands in its file, with nothing of a platform. Throws ConfigError.
void check_hbm_table(const ConfigNode& node);

}  // namespace reticle
