// SPDX-License-Identifier: Apache-2.0
// A run whose report is kept, so that asking for it again costs nothing.
#pragma once

#include <filesystem>
#include <string>

#include "sim/config/read_run.hpp"

namespace reticle {

/// All of a file, empty where there is none.
std::string read_text(const std::filesystem::path& path);

/// The report.json of the run: what `kept` holds if that is of the same inputs and by this program,
/// else simulated now, in this process (so one per process). What does not fit is a report too.
/// Throws ConfigError for wrong input and SimulationError where it stops early.
std::string kept_report(const RunRequest& request, const std::filesystem::path& kept);

}  // namespace reticle
