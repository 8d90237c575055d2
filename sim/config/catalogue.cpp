// SPDX-License-Identifier: Apache-2.0
#include "sim/config/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sim/config/nearest.hpp"

namespace reticle {

namespace fs = std::filesystem;

namespace {
struct KindFact {
  CatalogueKind kind;
  std::string_view name;
  std::string_view folder;
};
constexpr std::array kKinds{
    KindFact{CatalogueKind::Platform, "platform", "configs/platforms"},
    KindFact{CatalogueKind::Llm, "language model", "configs/llms"},
    KindFact{CatalogueKind::Workload, "workload", "configs/workloads"},
    KindFact{CatalogueKind::Serving, "serving policy", "configs/serving"},
    KindFact{CatalogueKind::Prices, "price table", "configs/prices"},
    KindFact{CatalogueKind::Hbm, "HBM standard", "configs/hbm"},
    KindFact{CatalogueKind::Tier, "memory device", "configs/tiers"},
    KindFact{CatalogueKind::HostLink, "host link", "configs/links"},
    KindFact{CatalogueKind::Kernels, "kernel table", "configs/kernels"},
    KindFact{CatalogueKind::Silicon, "process node", "configs/silicon"},
    KindFact{CatalogueKind::Cooling, "cooling class", "configs/cooling"},
    KindFact{CatalogueKind::Sweep, "sweep", "configs/sweeps"},
};

const KindFact& fact(CatalogueKind kind) {
  return *std::ranges::find(kKinds, kind, &KindFact::kind);
}

bool holds_catalogue(const fs::path& root) {
  std::error_code error;
  return fs::is_directory(root / "configs", error);
}

bool is_path(std::string_view argument) {
  return argument.find('/') != std::string_view::npos || argument.ends_with(".yaml") ||
         argument.ends_with(".yml");
}

/// How to call `file`: relative to the root when below it, else as given.
std::string label_of(const fs::path& file) {
  std::error_code error;
  const fs::path relative = fs::proximate(fs::weakly_canonical(file, error),
                                          fs::weakly_canonical(catalogue_root(), error), error);
  const bool below = !error && !relative.empty() && *relative.begin() != "..";
  return below && !relative.is_absolute() ? relative.generic_string() : file.generic_string();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}
}  // namespace

fs::path catalogue_root() {
  if (const char* home = std::getenv("RETICLE_HOME"); home != nullptr && *home != '\0') {
    if (!holds_catalogue(home))
      throw ConfigError(
          {}, "RETICLE_HOME",
          "expected a directory that holds configs/, got '" + std::string{home} + "'");
    return home;
  }
  std::error_code error;
  const fs::path installed =
      fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "share" / "reticle";
  for (const fs::path& root : {installed, fs::path{RETICLE_SOURCE_DIR}})
    if (holds_catalogue(root)) return root;
  throw ConfigError({}, "", "no catalogue found: set RETICLE_HOME to the directory of configs/");
}

std::string_view name_of(CatalogueKind kind) { return fact(kind).name; }

std::vector<std::string> catalogue_names(CatalogueKind kind) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{catalogue_root() / fact(kind).folder, error})
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

std::optional<CatalogueFile> find_config(CatalogueKind kind, const std::string& argument) {
  if (is_path(argument)) return CatalogueFile{argument, label_of(argument)};
  const auto names = catalogue_names(kind);
  if (std::ranges::find(names, argument) == names.end()) return std::nullopt;
  const std::string label = std::string{fact(kind).folder} + "/" + argument + ".yaml";
  return CatalogueFile{catalogue_root() / label, label};
}

CatalogueFile require_config(CatalogueKind kind, const std::string& argument,
                             const SourcePosition& asked_at, std::string_view key) {
  if (auto file = find_config(kind, argument)) return *file;
  const auto names = catalogue_names(kind);
  throw ConfigError(asked_at, key,
                    "unknown " + std::string{name_of(kind)} + " '" + argument + "'" +
                        did_you_mean(argument, names) + "; known: " + joined(names));
}

fs::path openable(const std::string& path) {
  const fs::path given{path};
  if (given.is_absolute()) return given;
  const fs::path below = catalogue_root() / given;
  std::error_code error;
  return fs::exists(below, error) ? below : given;
}

}  // namespace reticle
