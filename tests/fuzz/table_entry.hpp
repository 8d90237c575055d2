// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the readers of measured tables.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/config/read_run.hpp"
#include "sim/validate/component.hpp"
#include "sim/validate/system_run.hpp"
#include "sim/validate/table.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace reticle {

/// As rows of kernels, then as runs of systems. Answers whether it is a table at all; anything but
/// a ConfigError escapes.
inline bool read_any_table(std::string_view text) {
  static const PlatformSpec platform = read_platform("h100-8");
  static StepPrograms programs;
  const MemoryFile file{text};
  try {
    const Table table{file.path()};
    for (const Table::Row& row : table.rows()) try {
        const Component component = component_of(row);
        if (component.left_out.empty()) (void)write_component(component, platform, programs);
      } catch (const ConfigError&) {
      }
    try {
      for (const SystemRun& run : system_runs(table)) (void)case_of(run);
    } catch (const ConfigError&) {
    }
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
