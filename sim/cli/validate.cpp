// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/validate.hpp"

#include "sim/cli/command.hpp"

namespace reticle {

void add_validate(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("validate", "Compare what is simulated with what was measured");
  sub->require_subcommand(1);
  add_validate_components(*sub);
  add_validate_systems(*sub);
}

}  // namespace reticle
