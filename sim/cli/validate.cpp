// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/validate.hpp"

#include <filesystem>

#include "sim/cli/command.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

std::string measured_table(const std::string& name) {
  const std::filesystem::path full = std::filesystem::path{"../shared/measured"} / name;
  std::error_code error;
  if (std::filesystem::exists(full, error)) return full.string();
  return (catalogue_root() / "configs/measured" / name).string();
}

void add_validate(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("validate", "Compare what is simulated with what was measured");
  sub->require_subcommand(1);
  add_validate_components(*sub);
  add_validate_systems(*sub);
}

}  // namespace reticle
