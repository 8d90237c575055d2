// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/vector/vector_if.hpp"
#include "models/vector/vector_spec.hpp"

namespace reticle {

/// SIMD lanes for norms, softmax, router and sampling.
///
/// Models:     lanes x clock throughput, slower transcendentals, a pipeline passed once per
///             dependent sweep, reduction trees of log2 levels, one operation after another.
/// Leaves out: memory traffic of operands (they are on chip), lanes left idle by short rows, a
///             sweep's wait for the last row of the one before.
class VectorUnit final : public sc_core::sc_module, public VectorIf {
 public:
  sc_core::sc_export<VectorIf> port{"port"};

  VectorUnit(const sc_core::sc_module_name& name, const VectorParams& params);

  VectorTiming compute(const VectorWork& work, Picoseconds at) override;
  [[nodiscard]] const VectorStats& stats() const { return stats_; }

 private:
  const VectorParams params_;
  Picoseconds free_{};
  VectorStats stats_;
};

}  // namespace reticle
