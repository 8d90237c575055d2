// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Adds what another recall remembered, and its audits.
void add(RecallReport& total, const RecallReport& part);

/// Adds what an instance did after a fault to what it had done before; the room is that of before.
void add_epoch(InstanceResult& total, const InstanceResult& next);

/// What `parts`, instances side by side, come to: counts, bytes and room added up, times as the
/// mean over the instances (so that a breakdown still sums to the run's duration), peaks as the sum
/// of each one's own. The plan is the first one's. At least one.
InstanceResult add_instances(const std::vector<InstanceResult>& parts);

}  // namespace reticle
