// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the readers of configurations: any bytes are a file of some kind that
// says what may be said, or a ConfigError.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/config/read_run.hpp"

namespace reticle {

/// Platforms, models, workloads, serving policies, tables, prices, claims, sweeps, resolved runs:
/// as `reticle check` tells them apart. Answers whether it was taken; anything but a ConfigError
/// escapes.
inline bool read_any_config(std::string_view text) {
  try {
    (void)check_text(text, "fuzz.yaml");
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
