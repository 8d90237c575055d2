// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/config/config_node.hpp"

namespace reticle {

/// The tree of a workload argument: a catalogue name, a YAML file, or a request trace
/// FILE[:format]. Throws ConfigError naming near names when it is none of them.
ConfigTree workload_tree(const std::string& argument);

/// What a workload's file holds, its paths no longer relative to the file but to the catalogue's
/// root or the working directory, as `label` is.
ConfigTree based_workload(ConfigTree workload, const std::string& label);

/// Throws ConfigError where a file says `path`, and that is of no folder that was given
/// (require_given).
void check_trace(const ConfigTree& workload);

WorkloadSpec read_workload(const ConfigNode& node);

}  // namespace reticle
