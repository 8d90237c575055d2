// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/sweep_point.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/registry/entry.hpp"
#include "sim/registry/experiment.hpp"
#include "sim/registry/registry.hpp"

namespace reticle {

namespace {
/// What the registry reads, known as the other kinds are: by a key that only it has.
std::optional<std::string> check_of_registry(const std::string& file) {
  const std::string label = label_of(file);
  const std::string text = read_yaml_text(file, label);
  if (file.ends_with(".md")) {
    (void)parse_entry(text, label);
    return "registry entry";
  }
  const ConfigTree tree = parse_yaml(text, label);
  if (tree.find("ids") != nullptr) {
    (void)parse_ledger(text, label);
    return "ledger";
  }
  if (tree.find("falsifier") == nullptr) return std::nullopt;
  const std::string entries = "configs/registry";
  (void)parse_experiment(text, label, read_registry(catalogue_root() / entries, entries).entries);
  return "experiment";
}

/// Checks every file, then fails if one was wrong.
void check_all(const std::vector<std::string>& files) {
  std::string problems;
  for (const auto& file : files) {
    try {
      const auto of_registry = check_of_registry(file);
      const std::string kind = of_registry ? *of_registry : check_file(file);
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
