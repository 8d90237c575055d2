// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/hbm/hbm_history.hpp"
#include "models/memory/memory_if.hpp"

namespace reticle {

/// One HBM pseudo-channel at transaction level (HbmRunModel) as a module.
class HbmChannel final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  /// `history`: of channels of equal parameters that may be asked the same.
  HbmChannel(const sc_core::sc_module_name& name, const HbmParams& params,
             std::shared_ptr<HbmHistory> history = nullptr)
      : sc_module{name},
        capacity_{params.capacity_per_stack.count() / params.pseudo_channels},
        model_{history ? std::move(history) : std::make_shared<HbmHistory>(params)} {
    port.bind(*this);
  }

  AccessTiming access(const MemoryRun& run, Picoseconds at) override {
    return model_.access(run, at);
  }
  [[nodiscard]] MemoryStats stats() const override { return model_.stats(); }
  [[nodiscard]] Bytes capacity() const override { return capacity_; }

 private:
  const Bytes capacity_;
  HbmFollower model_;
};

}  // namespace reticle
