// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/config/config_node.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// Reads the section `llm` and checks the architecture as a whole.
LlmSpec read_llm(const ConfigNode& node);

}  // namespace reticle
