// SPDX-License-Identifier: Apache-2.0
// From what the user asked for to everything a run depends on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/run_spec.hpp"

namespace reticle {

/// Names in the catalogue, or paths. Either the three names, or `resolved` alone.
struct RunRequest {
  std::string platform;
  std::string llm;
  std::string workload;                ///< or a trace FILE[:format]
  std::optional<std::string> serving;  ///< none = the defaults
  std::vector<std::string> sets;       ///< "dotted.key=value", applied in order, last
  std::optional<std::uint64_t> seed;
  std::optional<std::string> fidelity;
  std::optional<std::string> resolved;  ///< a resolved.yaml: reproduces its run
};

/// Throws ConfigError.
RunSpec read_run(const RunRequest& request);

/// One part alone, for describing it. `sets` must be keys of that part; `values`, where given,
/// receives every value with its origin, source and confidence.
PlatformSpec read_platform(const std::string& name_or_path,
                           const std::vector<std::string>& sets = {},
                           std::vector<ResolvedValue>* values = nullptr);
LlmSpec read_llm(const std::string& name_or_path, const std::vector<std::string>& sets = {},
                 std::vector<ResolvedValue>* values = nullptr);
WorkloadSpec read_workload(const std::string& argument, const std::vector<std::string>& sets = {},
                           std::vector<ResolvedValue>* values = nullptr);

/// Reads a configuration file of whatever kind it is and throws ConfigError if it is wrong.
/// Returns the kind: platform, llm, workload, prices, hbm, claims, serving, sweep or resolved.
std::string check_file(const std::string& path);
/// The text of such a file; `label` stands for it in messages.
std::string check_text(std::string_view text, const std::string& label);

}  // namespace reticle
