// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "sim/base/units.hpp"

namespace reticle {

struct VectorTiming {
  Picoseconds started{};
  Picoseconds done{};
  Picoseconds tail{};  ///< pipeline depth: least time after a streaming operand's end
};

/// The door to the vector unit. Calls are served in call order; `at` as in MemoryIf.
class VectorIf : public virtual sc_core::sc_interface {
 public:
  virtual VectorTiming compute(std::int64_t element_ops, Picoseconds at) = 0;
};

}  // namespace reticle
