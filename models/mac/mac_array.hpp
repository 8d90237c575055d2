// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/mac/mac_if.hpp"

namespace reticle {

/// Weight-stationary arrays that share the tiles of a GEMM.
///
/// Models:     tiling of k x n onto rows x cols (partial tiles cost whole ones), weight load of a
///             tile (one row a cycle, hidden behind the former tile when double buffered), pipeline
///             fill and drain, slower passes for wider formats.
/// Leaves out: operand buffers' bandwidth (memories model it), sparsity, clock throttling.
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

/// Cycles of one pass of `m` rows of activations through one tile.
std::int64_t pass_cycles(const MacParams& params, std::int64_t m, Precision precision);

}  // namespace reticle
