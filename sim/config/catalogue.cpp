// SPDX-License-Identifier: Apache-2.0
#include "sim/config/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "sim/config/nearest.hpp"
#include "workloads/requests/trace_reader.hpp"

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

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}
}  // namespace

bool is_path(std::string_view argument) {
  return argument.find('/') != std::string_view::npos || argument.ends_with(".yaml") ||
         argument.ends_with(".yml");
}

namespace {
/// Links followed, as far as there is something; nothing where that is not allowed or runs in
/// circles.
std::optional<fs::path> real_path(const fs::path& path) {
  std::error_code error;
  // What does not exist has no canonical form, but a place below the working directory all the
  // same.
  fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? std::nullopt : std::optional{std::move(real)};
}

bool is_below(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

std::vector<fs::path> given_folders(const fs::path& beside) {
  std::vector<fs::path> folders{catalogue_root(), ".", beside.empty() ? "." : beside};
  const char* more = std::getenv("RETICLE_PATH");
  std::istringstream list{more == nullptr ? "" : more};
  for (std::string folder; std::getline(list, folder, ':');)
    if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}
}  // namespace

void require_given(const fs::path& path, const SourcePosition& asked_at, std::string_view key) {
  if (asked_at.line == 0) return;
  const auto folders = given_folders(openable(asked_at.file).parent_path());
  const auto judge = [&](const fs::path& file) {
    const auto real = real_path(file);
    const auto holds = [&](const fs::path& folder) {
      const auto there = real_path(folder);
      return real && there && is_below(*real, *there);
    };
    if (std::ranges::none_of(folders, holds))
      throw ConfigError(asked_at, key,
                        "'" + file.generic_string() +
                            "' is not below this file's folder, the working directory or the "
                            "catalogue: name its folder in RETICLE_PATH if it is to be opened");
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status))
      throw ConfigError(asked_at, key,
                        "'" + file.generic_string() + "' is neither a file nor a folder");
  };
  judge(path);
  // Of a folder its sessions are read.
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{path, error})
    if (entry.path().filename().string().find(".json") != std::string::npos) judge(entry.path());
}

bool names_file(std::string_view key) {
  constexpr std::array<std::string_view, 4> kParts{"platform", "llm", "workload", "serving"};
  constexpr std::array<std::string_view, 4> kEnds{".standard", ".draft", ".path", ".recording"};
  return std::ranges::find(kParts, key) != kParts.end() ||
         std::ranges::any_of(kEnds, [&](std::string_view end) { return key.ends_with(end); });
}

void require_given_value(std::string_view key, const std::string& value,
                         const SourcePosition& asked_at, std::string_view named_as) {
  if (!names_file(key)) return;
  // A trace and a recording need not look like a path, and a workload may be a trace.
  const bool workload = key == "workload";
  const bool always = workload || key.ends_with(".path") || key.ends_with(".recording");
  if (!is_path(value) && (!always || (workload && find_config(CatalogueKind::Workload, value))))
    return;
  const std::string path = workload ? split_trace_argument(value).first : value;
  // Some are opened as they stand, others below the catalogue where there is such a file.
  require_given(path, asked_at, named_as);
  require_given(openable(path), asked_at, named_as);
}

std::string label_of(const fs::path& file) {
  std::error_code error;
  const fs::path relative = fs::proximate(fs::weakly_canonical(file, error),
                                          fs::weakly_canonical(catalogue_root(), error), error);
  const bool below = !error && !relative.empty() && *relative.begin() != "..";
  return below && !relative.is_absolute() ? relative.generic_string() : file.generic_string();
}

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
  if (is_path(argument)) require_given(argument, asked_at, key);
  if (auto file = find_config(kind, argument)) return *file;
  const auto names = catalogue_names(kind);
  // A trace or a table is named by its ending: who gives one means a file.
  std::error_code error;
  const std::string file = !fs::path{argument}.has_extension() ? ""
                           : fs::exists(argument, error)
                               ? ", and a file is given as ./" + argument
                               : ", and there is no file of that name here";
  throw ConfigError(asked_at, key,
                    "unknown " + std::string{name_of(kind)} + " '" + argument + "'" + file +
                        did_you_mean(argument, names) + "; known: " + joined(names));
}

fs::path openable(const std::string& path) {
  const fs::path given{path};
  if (given.is_absolute()) return given;
  const fs::path below = catalogue_root() / given;
  std::error_code error;
  return fs::exists(below, error) ? below : given;
}

std::string as_configured(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error) || fs::equivalent(openable(path), path, error)) return path;
  return fs::absolute(path, error).lexically_normal().generic_string();
}

}  // namespace reticle
