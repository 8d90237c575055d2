// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace reticle {

/// The full table of measurements where it lies beside the checkout, else the published figures
/// that the project carries.
std::string measured_table(const std::string& name);

/// `validate components`: measured kernels and collectives against simulated ones.
void add_validate_components(CLI::App& validate);
/// `validate systems`: measured serving of whole machines against simulated serving.
void add_validate_systems(CLI::App& validate);

}  // namespace reticle
