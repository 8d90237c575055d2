// SPDX-License-Identifier: Apache-2.0
// Element operations of the vector unit, per element, counted from the arithmetic of each operator
// (one add, multiply, compare or exponential each; a hardware exponential is one lane operation, as
// in the special-function units of GPUs).
#pragma once

#include <cstdint>

namespace reticle::op_costs {

inline constexpr std::int64_t kNorm = 4;      ///< square, accumulate, scale, weight
inline constexpr std::int64_t kResidual = 1;  ///< add
inline constexpr std::int64_t kRope = 3;      ///< two multiplies and an add per element of Q, K
inline constexpr std::int64_t kSoftmax = 5;   ///< max, subtract, exponential, sum, rescale
inline constexpr std::int64_t kMerge = 3;     ///< rescale and add partial attention results
inline constexpr std::int64_t kActivate = 4;  ///< exponential, add, divide, gate multiply
inline constexpr std::int64_t kTopK = 5;      ///< as softmax, over router logits
inline constexpr std::int64_t kCombine = 1;   ///< add an expert's output (its weight went into
                                              ///< the activations before)
inline constexpr std::int64_t kSample = 5;    ///< softmax and draw over logits

/// Partial sums cross the fabric in BF16: FP8 would lose bits with every addition.
inline constexpr std::int64_t kPartialSumBytes = 2;
/// One candidate token: id and score.
inline constexpr std::int64_t kCandidateBytes = 8;

}  // namespace reticle::op_costs
