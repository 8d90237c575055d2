// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace reticle {

/// Prints the figures of recorded picks or of picks counted by expert; false if the file is
/// neither.
bool describe_routing(const std::string& path, bool json, bool skip_bad_rows);

/// reticle workload routing
void add_routing(CLI::App& workload);

}  // namespace reticle
