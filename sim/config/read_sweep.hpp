// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/config/sweep_spec.hpp"

namespace reticle {

/// A sweep of the catalogue (configs/sweeps), or of a file. Throws ConfigError at file:line:col.
SweepSpec read_sweep(const std::string& name_or_path);

}  // namespace reticle
