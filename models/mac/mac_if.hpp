// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <systemc>

#include "models/mac/mac_spec.hpp"

namespace reticle {

struct MacTiming {
  Picoseconds started{};
  Picoseconds done{};
  /// Time of the work that is left once the last weights have come: a streaming operand cannot let
  /// the result be ready sooner than this after its end.
  Picoseconds tail{};
};

/// The door to the matrix unit. Calls are served in call order; `at` as in MemoryIf.
class MacIf : public virtual sc_core::sc_interface {
 public:
  virtual MacTiming compute(std::span<const GemmShape> shapes, Precision precision,
                            Picoseconds at) = 0;
};

}  // namespace reticle
