// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/hbm/hbm_contended_model.hpp"
#include "models/memory/memory_if.hpp"

namespace reticle {

/// One HBM pseudo-channel whose short runs contend command by command (HbmContendedModel) as a
/// module.
class HbmContendedChannel final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  HbmContendedChannel(const sc_core::sc_module_name& name, const HbmParams& params)
      : sc_module{name},
        capacity_{params.capacity_per_stack.count() / params.pseudo_channels},
        model_{params} {
    port.bind(*this);
  }

  AccessTiming access(const MemoryRun& run, Picoseconds at) override {
    return model_.access(run, at);
  }
  [[nodiscard]] MemoryStats stats() const override { return model_.stats(); }
  [[nodiscard]] Bytes capacity() const override { return capacity_; }

 private:
  const Bytes capacity_;
  HbmContendedModel model_;
};

}  // namespace reticle
