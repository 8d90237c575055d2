// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/package/deployment.hpp"
#include "sim/engine/critical_path.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// What each operator of the step that `deployment` has just finished did; `path`: of that step.
/// Times of the host are not in it.
std::vector<OperatorWork> take_apart(const Deployment& deployment, const StepPrograms& step,
                                     const PathByLabel& path);

/// What every link has carried since the beginning.
std::vector<LinkLoad> link_loads(const Deployment& deployment);

}  // namespace reticle
