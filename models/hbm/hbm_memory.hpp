// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>
#include <vector>

#include "models/hbm/hbm_history.hpp"
#include "models/memory/memory_if.hpp"

namespace reticle {

/// One per simulated channel.
using HbmHistories = std::vector<std::shared_ptr<HbmHistory>>;
/// For memories of these parameters to share; empty where their form keeps none.
HbmHistories hbm_histories(const HbmParams& params);

/// The HBM of one die: all its pseudo-channels behind one port, addresses striped over them.
///
/// Models:     each simulated channel stands for a group of channels in lockstep; a run is split
///             over the groups, and ends when the last group has.
/// Leaves out: imbalance between the channels of one group. A run striped over all channels has
///             none; scattered pieces are taken as spread evenly (docs/models/hbm.md).
class HbmMemory final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  /// `histories`: of memories of equal parameters that may be asked the same (hbm_histories); none:
  /// this one is alone.
  HbmMemory(const sc_core::sc_module_name& name, const HbmParams& params,
            const HbmHistories& histories = {});

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  /// Bytes as asked and the whole bursts they lie in; all else summed over the physical channels.
  [[nodiscard]] MemoryStats stats() const override;
  [[nodiscard]] Bytes capacity() const override { return reticle::capacity(params_); }

 private:
  /// The busiest channel's share of `run` within the group that starts at channel `first`.
  [[nodiscard]] MemoryRun share_of(const MemoryRun& run, std::int64_t first) const;

  [[nodiscard]] std::int64_t bursts_of(const MemoryRun& run) const;

  const HbmParams params_;
  const std::int64_t lockstep_;                      ///< physical channels per simulated one
  std::vector<std::unique_ptr<MemoryIf>> channels_;  ///< in the form the parameters name
  MemoryStats asked_;
};

}  // namespace reticle
