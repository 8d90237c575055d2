// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/die/die_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// Into `die`: its kernels, and the shares of the peak its arrays sustain.
void read_kernels(const ConfigNode& node, DieParams& die);

/// A table as it stands in its file, with nothing of a platform. Throws ConfigError.
void check_kernel_table(const ConfigNode& node);

}  // namespace reticle
