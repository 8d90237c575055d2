// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/config/catalogue.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/config_tree.hpp"

namespace reticle {

/// The table that the key `standard` of a section names, without its name and title; nullopt where
/// the section names none, which its reader tells. `path` is the section's, for messages.
std::optional<ConfigTree> standard_table(const ConfigTree& section, CatalogueKind kind,
                                         std::string_view path);

/// The name of that table, or its path, as the section's key `standard` says it.
std::string standard_name(const ConfigNode& section, CatalogueKind kind);

/// Completes the section by that table; what the section says itself stays.
void fill_from_standard(ConfigTree& section, CatalogueKind kind, std::string_view path);

}  // namespace reticle
