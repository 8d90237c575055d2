// SPDX-License-Identifier: Apache-2.0
// What all of `reticle registry` share: which directory, as of which day.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "sim/registry/registry.hpp"

namespace reticle {

struct RegistryOptions {
  std::string directory;  ///< empty: configs/registry of the catalogue
  std::string as_of;      ///< empty: today

  [[nodiscard]] Date date() const;
  [[nodiscard]] std::string label() const;
  [[nodiscard]] Registry read() const;
  /// Throws ConfigError with every error there is.
  [[nodiscard]] Registry sound() const;
};

/// `directory_name`: of the option that names the directory.
void add_registry_options(CLI::App& sub, RegistryOptions& options,
                          const std::string& directory_name = "--registry");

/// Where experiments are: `directory`, or configs/experiments of the catalogue; and what messages
/// call it.
std::filesystem::path experiments_directory(const std::string& directory);
std::string experiments_label(const std::string& directory);

}  // namespace reticle
