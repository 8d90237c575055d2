// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/tier/linked_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Completes the sections `device` and `link` of a die's section `far` or `flash` by the tables
/// their keys `standard` name (configs/tiers, configs/links); what the sections say themselves
/// stays.
void fill_from_tier_tables(ConfigTree& memory, std::string_view path);

LinkedMemoryParams read_linked_memory(const ConfigNode& node);

/// A table as it stands in its file, with nothing of a platform. Throw ConfigError.
void check_tier_table(const ConfigNode& node);
void check_link_table(const ConfigNode& node);

}  // namespace reticle
