// SPDX-License-Identifier: Apache-2.0
// resolved.yaml: every value a run depended on, with where it came from. The file alone
// reproduces the run, and writing the rerun's gives the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "sim/config/config_tree.hpp"
#include "sim/config/run_spec.hpp"

namespace reticle {

/// Which program wrote the file.
struct BuildInfo {
  std::string version;
  std::string git_revision;
};

void write_resolved(std::ostream& out, const RunSpec& run, const BuildInfo& build);

/// The tree of a resolved.yaml, less its header. Throws ConfigError.
ConfigTree read_resolved(const std::string& path);
/// Likewise, of what such a file holds; `label` stands for it in messages.
ConfigTree resolved_tree(ConfigTree file, const std::string& label);

/// How many constants of the platform carry each word of kConfidenceWords (0 where none does).
std::map<std::string, std::int64_t> count_confidence(const std::vector<ResolvedValue>& resolved);

/// Keys of the platform that --set gave other values than its file has, as its title does not say
/// so: "packages_per_node, die.sram.capacity"; empty = none.
std::string changed_platform_keys(const std::vector<ResolvedValue>& resolved);

}  // namespace reticle
