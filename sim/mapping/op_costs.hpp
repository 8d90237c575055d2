// SPDX-License-Identifier: Apache-2.0
// Bytes that operators send between dies. What vector operations cost stands in
// models/vector/vector_op_spec.hpp.
#pragma once

#include <cstdint>

namespace reticle::op_costs {

/// Partial sums cross the fabric in BF16: FP8 would lose bits with every addition.
inline constexpr std::int64_t kPartialSumBytes = 2;
/// One candidate token: id and score.
inline constexpr std::int64_t kCandidateBytes = 8;

}  // namespace reticle::op_costs
