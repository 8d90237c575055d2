// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/vector/vector_op_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

struct VectorTiming {
  Picoseconds started{};
  Picoseconds done{};
  Picoseconds tail{};  ///< depth: least time after a streaming operand's end
};

/// The door to the vector unit. Calls are served in call order; `at` as in MemoryIf.
class VectorIf : public virtual sc_core::sc_interface {
 public:
  virtual VectorTiming compute(const VectorWork& work, Picoseconds at) = 0;
};

}  // namespace reticle
