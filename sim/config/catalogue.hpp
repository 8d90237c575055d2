// SPDX-License-Identifier: Apache-2.0
// The configurations that come with the program, found by name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

enum class CatalogueKind {
  Platform,
  Llm,
  Workload,
  Serving,
  Prices,
  Hbm,
  Tier,
  HostLink,
  Kernels,
  Silicon,
  Cooling,
  Sweep
};

/// A file to open, and what messages and origins call it: relative to the catalogue's root where
/// it lies below, so that the same run says the same on every machine.
struct CatalogueFile {
  std::filesystem::path path;
  std::string label;
};

/// The directory that holds `configs/`: $RETICLE_HOME when set; else ../share/reticle beside the
/// executable, where it was installed; else the source tree this program was built from. Throws
/// ConfigError when none does.
std::filesystem::path catalogue_root();

/// What messages call this kind: "platform", "workload", ...
std::string_view name_of(CatalogueKind kind);

/// Names in the catalogue, sorted.
std::vector<std::string> catalogue_names(CatalogueKind kind);

/// What messages and origins call a file: relative to the catalogue's root below it, else as given.
std::string label_of(const std::filesystem::path& file);

/// The file of a catalogue name, or of a path (anything with '/' or ending in .yaml); nullopt when
/// it is neither.
std::optional<CatalogueFile> find_config(CatalogueKind kind, const std::string& argument);

/// What a file names may be opened in folders the user gave alone: the catalogue's, the working
/// directory, that of the file that names it (of `asked_at`) and those of $RETICLE_PATH, a list
/// with colons; links are followed first, and of a folder its sessions (*.json) are asked too.
/// Throws ConfigError where `path` leads elsewhere or to a pipe or a device. What stands on the
/// command line is the user's own and not asked (`asked_at` has no line).
void require_given(const std::filesystem::path& path, const SourcePosition& asked_at,
                   std::string_view key);

/// An argument that is a path (anything with '/' or ending in .yaml), not a name.
bool is_path(std::string_view argument);

/// Whether values of `key` ("llm", "workload.path", "platform.die.hbm.standard") name files.
bool names_file(std::string_view key);

/// As require_given, of a value of a key that names files, where it is no name of the catalogue.
void require_given_value(std::string_view key, const std::string& value,
                         const SourcePosition& asked_at, std::string_view named_as);

/// As find_config; throws ConfigError, at `asked_at` when known, listing near names, and where a
/// file names a path that is not given (require_given).
CatalogueFile require_config(CatalogueKind kind, const std::string& argument,
                             const SourcePosition& asked_at = {}, std::string_view key = {});

/// A path as a configuration gave it, to open: below the catalogue's root when it is there, else
/// as it stands.
std::filesystem::path openable(const std::string& path);

/// A path of the command line as a configuration would give it: as it stands, or absolute where
/// `openable` would take it for another file, of the catalogue's root.
std::string as_configured(const std::string& path);

}  // namespace reticle
