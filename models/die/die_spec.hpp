// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "models/die/kernel_spec.hpp"
#include "models/die/silicon_spec.hpp"
#include "models/hbm/hbm_spec.hpp"
#include "models/mac/mac_spec.hpp"
#include "models/sram/sram_spec.hpp"
#include "models/tier/linked_spec.hpp"
#include "models/vector/vector_spec.hpp"

namespace reticle {

/// How a die runs its program.
struct SequencerParams {
  /// Weights known from the program stream in while the die computes or communicates (dataflow
  /// ASIC). Without it, kernels run one after another and each pays `launch_gap` (GPU).
  bool static_prefetch = true;
  Picoseconds launch_gap{};     ///< between dependent kernels; 0 with static_prefetch
  Picoseconds step_overhead{};  ///< host scheduler and sampling round trip per step
  Bytes staging{};              ///< on-chip buffer for data on its way from slow tiers to the array
  Bytes load_tile{};            ///< largest single load; at most staging / 2
};

/// One compute die (a GPU counts as one) and the memories it owns.
struct DieParams {
  SequencerParams sequencer;
  SramParams sram;
  std::optional<HbmParams> hbm;
  std::optional<LinkedMemoryParams> far;    ///< behind the host link
  std::optional<LinkedMemoryParams> flash;  ///< slowest tier, behind a link of its own
  MacParams mac;
  VectorParams vector;
  std::optional<KernelParams> kernels;   ///< absent: an ideal machine
  std::optional<SiliconParams> silicon;  ///< the process node; absent: not priced
  double area_mm2 = 0;                   ///< silicon of one die as stated; 0 = see fill
  double fill = 0;  ///< share of the die that SRAM, arithmetic and HBM PHYs take; 0 = area unknown
  std::int64_t chiplets = 1;  ///< equal pieces of silicon this area is made in
};

/// What loads from HBM and SRAM reach the cores with; 0 = as fast as the memories are.
constexpr BytesPerSecond crossbar_rate(const DieParams& die) {
  if (!die.kernels || !die.hbm) return {};
  return BytesPerSecond{peak_bandwidth(*die.hbm).count() / 1000 * die.kernels->crossbar_permille};
}

}  // namespace reticle
