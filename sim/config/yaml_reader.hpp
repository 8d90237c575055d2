// SPDX-License-Identifier: Apache-2.0
// YAML text to ConfigTree: the only place that knows the YAML library.
//
// Accepts:  one document of maps, lists and scalars.
// Refuses:  anchors, aliases and tags (no file of ours needs them, and an alias bomb does),
//           duplicate keys, keys that are not scalars, nesting deeper than 64, more than 1024
//           entries in one map or list or 100,000 in all, files above 4 MiB, bytes that are not
//           UTF-8 text.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sim/config/config_tree.hpp"

namespace reticle {

/// `label` stands for the file in positions. Throws ConfigError naming file:line:col.
/// Long-form leaves are folded, and a top-level `provenance: {source, confidence}` is given to
/// every leaf without its own (but not to name, title, status and lists of texts).
ConfigTree parse_yaml(std::string_view text, const std::string& label);

/// The text of a regular file of at most 4 MiB. Throws ConfigError.
std::string read_yaml_text(const std::filesystem::path& file, const std::string& label);

/// Reads and parses a regular file.
ConfigTree read_yaml(const std::filesystem::path& file, const std::string& label);

/// While one lives, what read_yaml reads is kept and not read again: for thousands of runs of the
/// same files. One at a time; processes that are forked meanwhile inherit what is kept.
class KeepYaml {
 public:
  KeepYaml();
  ~KeepYaml();
  KeepYaml(const KeepYaml&) = delete;
  KeepYaml& operator=(const KeepYaml&) = delete;
};

}  // namespace reticle
