// SPDX-License-Identifier: Apache-2.0
// How many cycles a vector operation takes: what VectorUnit takes its time from, and the planner.
#pragma once

#include "models/vector/vector_op_spec.hpp"
#include "models/vector/vector_spec.hpp"

namespace reticle {

struct VectorCycles {
  Cycles issue;  ///< until the lanes take the next operation
  Cycles depth;  ///< from the last element's issue to the result
};
VectorCycles vector_cycles(const VectorParams& params, const VectorWork& work);

}  // namespace reticle
