// SPDX-License-Identifier: Apache-2.0
// One function per subcommand: each adds itself to the program; what it does runs after parsing.
#pragma once

#include <CLI/CLI.hpp>

#include "sim/base/exit_code.hpp"
#include "sim/config/resolved.hpp"

namespace reticle {

/// Processes or tasks at a time that one may ask for.
inline constexpr int kMostJobs = 65'536;

/// Version and revision this program was built from.
BuildInfo build_info();

/// Options that are numbers are read as those of configurations are, here and in all subcommands:
/// in decimal, and refused where 64 bits do not hold them or they are none (NaN).
void read_numbers_as_configurations(CLI::App& app);

/// What says where to write says it, here and in all subcommands: an empty text, as of a variable
/// that is not set, is no place and not the absence of one.
void refuse_empty_targets(CLI::App& app);

void add_run(CLI::App& app);
void add_describe(CLI::App& app);
void add_list(CLI::App& app);
void add_llm(CLI::App& app);
void add_check(CLI::App& app);
void add_capacity(CLI::App& app);
void add_compare(CLI::App& app);
void add_explain(CLI::App& app);
void add_registry(CLI::App& app);
void add_reprice(CLI::App& app);
void add_sweep(CLI::App& app);
void add_validate(CLI::App& app);
void add_workload(CLI::App& app);

}  // namespace reticle
