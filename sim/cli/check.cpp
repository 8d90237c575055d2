// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/sweep_point.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/read_sweep.hpp"

namespace reticle {

namespace {
/// Checks every file, then fails if one was wrong.
void check_all(const std::vector<std::string>& files) {
  std::string problems;
  for (const auto& file : files) {
    try {
      const std::string kind = check_file(file);
      // What its points are made of is known where they are read.
      if (kind == "sweep") check_first_points(read_sweep(std::filesystem::absolute(file).string()));
      fmt::print("{}: a valid {}\n", file, kind);
    } catch (const ConfigError& error) {
      if (!problems.empty()) problems += '\n';
      problems += error.what();
    }
  }
  if (!problems.empty()) throw ConfigError(problems);
}
}  // namespace

void add_check(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("check", "Check configuration files without running them");
  auto files = std::make_shared<std::vector<std::string>>();
  sub->add_option("files", *files, "YAML files")->required();
  sub->footer("Example: reticle check configs/platforms/*.yaml");
  sub->callback([files] { check_all(*files); });
}

}  // namespace reticle
