// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/mac/mac_if.hpp"

namespace reticle {

/// Systolic arrays that share the tiles of a GEMM.
///
/// Models:     weight- and output-stationary tiling (partial tiles cost whole ones), weight load or
///             result drain of one row a cycle (beside the former or next tile when double
///             buffered), pipeline fill and drain, operand buffer bandwidth, slower passes for
///             wider formats.
/// Leaves out: bank conflicts of operand buffers, adding up partial sums of tiles along k,
///             sparsity, clock throttling.
class MacArray final : public sc_core::sc_module, public MacIf {
 public:
  sc_core::sc_export<MacIf> port{"port"};

  MacArray(const sc_core::sc_module_name& name, const MacParams& params);

  MacTiming compute(std::span<const GemmShape> shapes, Precision precision,
                    Picoseconds at) override;
  [[nodiscard]] const MacStats& stats() const { return stats_; }

 private:
  const MacParams params_;
  Picoseconds free_{};
  MacStats stats_;
};

}  // namespace reticle
