// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace reticle {

/// Whether the file holds recorded picks or picks counted by expert.
bool is_routing_file(const std::string& path);
/// Prints the figures of such a file.
void describe_routing(const std::string& path, bool json, bool skip_bad_rows);

/// reticle workload routing
void add_routing(CLI::App& workload);

}  // namespace reticle
