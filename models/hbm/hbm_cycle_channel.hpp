// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <systemc>

#include "models/hbm/hbm_controller.hpp"
#include "models/hbm/hbm_run_bursts.hpp"
#include "models/memory/memory_if.hpp"

namespace reticle {

/// One HBM pseudo-channel at command level behind the door of every memory: a run is handed to the
/// controller burst by burst, and the call returns when its last burst is done.
///
/// Models:     what HbmController does, for one run after the other: a run's commands begin when
/// the
///             last column command of the run before has gone, in the banks it left.
/// Leaves out: reordering across calls: the next call is not known when this one is answered. Drive
///             HbmController itself for traffic of many requesters.
class HbmCycleChannel final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  HbmCycleChannel(const sc_core::sc_module_name& name, const HbmParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override;
  [[nodiscard]] Bytes capacity() const override {
    return Bytes{params_.capacity_per_stack.count() / params_.pseudo_channels};
  }

 private:
  [[nodiscard]] Picoseconds time_of(HbmTick tick) const;
  [[nodiscard]] HbmTick tick_at(Picoseconds at) const;
  /// What falls due without requests: refreshes up to `until`.
  void idle_until(HbmTick until);

  const HbmParams params_;
  const HbmRunBursts bursts_;
  HbmController controller_;
  HbmTick now_ = 0;
  std::uint32_t runs_ = 0;
  MemoryStats asked_;
};

}  // namespace reticle
