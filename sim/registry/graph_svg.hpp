// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/registry/dependency_graph.hpp"

namespace reticle {

/// The graph as inline SVG: a column per level, what is depended on left of what depends on it,
/// entries without edges below. Every node is a link to `link_prefix` + its page.
std::string graph_svg(const DependencyGraph& graph, const std::string& link_prefix);

/// "b07.html" of B7.
std::string entry_page_name(const std::string& id);

}  // namespace reticle
