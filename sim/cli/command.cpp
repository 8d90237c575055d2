// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/command.hpp"

#include "revision.hpp"

namespace reticle {

BuildInfo build_info() { return {kVersion, kRevision}; }

}  // namespace reticle
