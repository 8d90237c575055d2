// SPDX-License-Identifier: Apache-2.0
// Whole runs as reports. Each runs in a process of its own: SystemC elaborates once per process.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/config/read_run.hpp"
#include "tests/cli/process.hpp"

namespace reticle::test {

using nlohmann::json;
using Sets = std::vector<std::string>;  ///< added by the operator of Arguments

/// The text of the report of a run that must succeed, or stop at engine.max_steps.
inline std::string report_text(const Arguments& arguments) {
  const Outcome outcome = run_reticle(arguments + Arguments{"--json"});
  CAPTURE(outcome.err);
  REQUIRE((outcome.code == 0 || outcome.code == 5));
  return outcome.out;
}
inline json report(const Arguments& arguments) { return json::parse(report_text(arguments)); }

inline json steady_report(const std::string& platform, const std::string& llm, const Sets& sets) {
  return report(steady(platform, llm, sets));
}

inline std::int64_t simulated_ps(const json& report) { return report["time_ps"]["simulated"]; }
inline double seconds_per_step(const json& report) {
  return report["simulated_s"].get<double>() / report["steps"].get<double>();
}

/// One H100 that holds llama-3-70b: no other die, no host, and kernels that cost nothing.
inline const Sets kOneDie{
    "platform.packages_per_node=1",           "platform.die.kernels=none",
    "platform.fabric.scale_out.ports=1",      "platform.die.hbm.capacity_per_stack=40 GB",
    "platform.die.sequencer.launch_gap=0 us", "platform.die.sequencer.step_overhead=0 us"};

inline json one_die(const Sets& sets) {
  return steady_report("h100-8", "llama-3-70b", kOneDie + sets);
}

/// A catalogue entry read in this process, to work out what a run should give.
inline LlmSpec catalogue_llm(const std::string& name) {
  ::setenv("RETICLE_HOME", RETICLE_SOURCE_DIR, 1);
  return read_llm(name);
}
inline PlatformSpec catalogue_platform(const std::string& name, const Sets& sets = {}) {
  ::setenv("RETICLE_HOME", RETICLE_SOURCE_DIR, 1);
  return read_platform(name, sets);
}

}  // namespace reticle::test
