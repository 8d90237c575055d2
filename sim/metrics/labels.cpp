// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/labels.hpp"

#include <cstddef>

namespace reticle {

constexpr std::array<TimeCategoryLabel, kTimeCategoryCount> kTimeCategoryLabels{{
    {TimeCategory::WeightsSram, "weights_sram", "weights from SRAM",
     "the arrays wait for weights from on-chip SRAM: its bandwidth sets the pace"},
    {TimeCategory::WeightsHbm, "weights_hbm", "weights from HBM",
     "the arrays wait for weights from HBM: its bandwidth sets the pace, and weights held in SRAM "
     "or a larger batch would raise it"},
    {TimeCategory::WeightsFar, "weights_far", "weights from the far tier",
     "the arrays wait for weights from behind the host link: they need room in a faster tier"},
    {TimeCategory::Kv, "kv", "KV cache",
     "attention waits for keys and values: context length times batch sets the pace"},
    {TimeCategory::KvMove, "kv_move", "KV moves between tiers",
     "steps wait for keys and values on their way between tiers: the host link sets the pace"},
    {TimeCategory::AdapterMove, "adapter_move", "adapters on their way in",
     "steps wait for adapters from behind the host link: more slots or a faster link would help"},
    {TimeCategory::Mac, "mac", "matrix arithmetic",
     "the MAC arrays set the pace: their data arrives in time"},
    {TimeCategory::Vector, "vector", "vector arithmetic",
     "norms, softmax and the like on the vector units set the pace"},
    {TimeCategory::FabricLatency, "fabric_latency", "fabric latency",
     "dies wait for messages on their way: hops and start-up times, not link bandwidth"},
    {TimeCategory::FabricTransfer, "fabric_transfer", "fabric transfer",
     "dies wait for message bytes: link bandwidth sets the pace"},
    {TimeCategory::Launch, "launch", "kernel launch and host",
     "kernel launches and the host's round trip per step set the pace"},
    {TimeCategory::Idle, "idle", "idle",
     "there was nothing to serve; the machine could take more requests"},
}};

static_assert(
    [] {
      for (std::size_t i = 0; i < kTimeCategoryCount; ++i)
        if (static_cast<std::size_t>(kTimeCategoryLabels[i].category) != i) return false;
      return true;
    }(),
    "rows stand in the order of the enum");

const TimeCategoryLabel& label_of(TimeCategory category) {
  return kTimeCategoryLabels[static_cast<std::size_t>(category)];
}

}  // namespace reticle
