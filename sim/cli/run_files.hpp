// SPDX-License-Identifier: Apache-2.0
// What every subcommand that simulates reads before, and where it writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "sim/config/run_spec.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

/// Made before the run, so that a wrong path costs no simulation. Throws ConfigError of `option`.
void make_output_directory(const std::filesystem::path& path, std::string_view option = "--out");

/// Absent for a steady decode. Warns of rows that were left out.
std::optional<Trace> load_trace(const RunSpec& spec);

}  // namespace reticle
