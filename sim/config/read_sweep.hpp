// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sim/config/sweep_spec.hpp"

namespace reticle {

/// A sweep of the catalogue (configs/sweeps), or of a file. Throws ConfigError at file:line:col.
SweepSpec read_sweep(const std::string& name_or_path);

/// The text of such a file; `label` stands for it in messages.
SweepSpec parse_sweep(std::string_view text, const std::string& label);

}  // namespace reticle
