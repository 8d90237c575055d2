// SPDX-License-Identifier: Apache-2.0
// Every memory there is, as a Subject of tests/models/memory_conformance.hpp.
#pragma once

#include <algorithm>
#include <memory>
#include <systemc>

#include "models/hbm/hbm_channel.hpp"
#include "models/hbm/hbm_memory.hpp"
#include "models/sram/cycle_sram.hpp"
#include "models/sram/sram_bank_group.hpp"
#include "models/tier/linked_memory.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace subjects {

template <class Memory, class Params>
std::unique_ptr<Memory> fresh(const Params& params) {
  return std::make_unique<Memory>(sc_core::sc_gen_unique_name("dut"), params);
}

/// A request that comes just before a refresh falls due is stretched by it whole; one that comes
/// just after finds the banks precharged (docs/models/hbm.md, "Refresh").
inline Picoseconds hbm_anomaly() {
  const HbmTiming t = hbm3_timing();
  return t.t_rp + t.t_rcd_rd + t.t_rtp;
}

/// Room for the largest run: behind a socket, bytes beyond the end are an error.
inline SramParams roomy_sram() {
  SramParams params = kSram;
  params.capacity = 16_MiB;
  return params;
}
struct SramSubject {
  static auto make() { return fresh<SramBankGroup>(roomy_sram()); }
  static BytesPerSecond peak() { return peak_bandwidth(kSram); }
  static Picoseconds refresh_anomaly() { return 0_ps; }
  static Bytes spread() { return 1_B; }
};
struct CycleSramSubject : SramSubject {
  static auto make() { return fresh<CycleSram>(roomy_sram()); }
};
struct HbmChannelSubject {
  static auto make() { return fresh<HbmChannel>(hbm3(RefreshMode::AllBank)); }
  static BytesPerSecond peak() {
    HbmParams one = hbm3(RefreshMode::AllBank);
    one.pseudo_channels = 1;
    return peak_bandwidth(one);
  }
  static Picoseconds refresh_anomaly() { return hbm_anomaly(); }
  static Bytes spread() { return 1_B; }
};
struct HbmChannelNoRefreshSubject : HbmChannelSubject {
  static auto make() { return fresh<HbmChannel>(hbm3(RefreshMode::Off)); }
  static Picoseconds refresh_anomaly() { return 0_ps; }
};
struct HbmLockstepSubject {
  static auto make() { return fresh<HbmMemory>(hbm3(RefreshMode::AllBank)); }
  static BytesPerSecond peak() { return peak_bandwidth(hbm3(RefreshMode::AllBank)); }
  static Picoseconds refresh_anomaly() { return hbm_anomaly(); }
  static Bytes spread() {
    const HbmParams params = hbm3(RefreshMode::AllBank);
    return channels(params) * params.interleave;
  }
};
struct HbmEachChannelSubject : HbmLockstepSubject {
  static auto make() {
    HbmParams params = hbm3(RefreshMode::AllBank);
    params.simulated_channels = channels(params);
    return fresh<HbmMemory>(params);
  }
};
struct LinkedSubject {
  static auto make() { return fresh<LinkedMemory>(far_memory()); }
  static BytesPerSecond peak() {
    return std::min(far_memory().device_rate, far_memory().link_rate);
  }
  static Picoseconds refresh_anomaly() { return 0_ps; }
  static Bytes spread() { return 1_B; }
};

}  // namespace subjects
}  // namespace reticle
