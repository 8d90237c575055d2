// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/registry_options.hpp"

#include <fmt/chrono.h>

#include <chrono>

#include "sim/base/error.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

namespace {
constexpr const char* kDirectory = "configs/registry";
constexpr const char* kExperiments = "configs/experiments";

Date today() {
  const auto now = fmt::gmtime(std::chrono::system_clock::now());
  return *parse_date(fmt::format("{:%Y-%m-%d}", now));
}
}  // namespace

Date RegistryOptions::date() const {
  if (as_of.empty()) return today();
  const auto date = parse_date(as_of);
  if (!date) throw CLI::ValidationError("--as-of", "expected a date such as 2026-04-22");
  return *date;
}

std::string RegistryOptions::label() const { return directory.empty() ? kDirectory : directory; }

Registry RegistryOptions::read() const {
  return directory.empty() ? read_registry(catalogue_root() / kDirectory, kDirectory)
                           : read_registry(directory, directory);
}

Registry RegistryOptions::sound() const {
  Registry registry = read();
  std::string problems;
  for (const LintFinding& finding : registry.findings)
    if (finding.severity == Severity::Error)
      problems += (problems.empty() ? "" : "\n") + finding.text;
  if (!problems.empty()) throw ConfigError(problems);
  return registry;
}

std::filesystem::path experiments_directory(const std::string& directory) {
  return directory.empty() ? catalogue_root() / kExperiments : std::filesystem::path{directory};
}

std::string experiments_label(const std::string& directory) {
  return directory.empty() ? kExperiments : directory;
}

void add_registry_options(CLI::App& sub, RegistryOptions& options,
                          const std::string& directory_name) {
  sub.add_option(directory_name, options.directory,
                 "Directory of the entries; configs/registry when absent");
  sub.add_option("--as-of", options.as_of, "The day to judge reviews by; today when absent");
}

}  // namespace reticle
