// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/registry/registry.hpp"
#include "sim/registry/validation.hpp"

namespace reticle {

/// `reticle registry validate`.
void add_registry_validate(CLI::App& app);

/// The experiments on these entries (all when empty), from files bNN.yaml of a directory. Throws
/// ConfigError for an entry without one.
std::vector<Experiment> read_experiments(const std::filesystem::path& directory,
                                         const std::string& label, const Registry& registry,
                                         const std::vector<std::string>& ids);

/// Verdicts from the reports of a directory that `validate --out` left; experiments with a cell
/// that is not there are left out.
Validation stored_validation(const std::filesystem::path& results, const Registry& registry,
                             const std::vector<Experiment>& experiments);

}  // namespace reticle
