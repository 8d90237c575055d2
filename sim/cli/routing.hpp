// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace reticle {

/// Prints the figures of recorded picks.
void describe_routing(const std::string& path, bool json);

/// reticle workload routing
void add_routing(CLI::App& workload);

}  // namespace reticle
