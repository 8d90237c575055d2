// SPDX-License-Identifier: Apache-2.0
// Every memory there is, as a Subject of tests/models/memory_conformance.hpp.
#pragma once

#include <algorithm>
#include <memory>
#include <systemc>

#include "models/hbm/hbm_channel.hpp"
#include "models/hbm/hbm_contended_channel.hpp"
#include "models/hbm/hbm_cycle_channel.hpp"
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
  static constexpr bool reorders = true;
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
struct HbmCycleChannelSubject : HbmChannelSubject {
  static constexpr bool by_command = true;
  static auto make() { return fresh<HbmCycleChannel>(hbm3(RefreshMode::AllBank)); }
};
/// Runs of both kinds: kSizes go up to 4 MiB.
struct HbmContendedChannelSubject : HbmCycleChannelSubject {
  static auto make() {
    HbmParams params = hbm3(RefreshMode::AllBank);
    params.commands_below = 64_KiB;
    return fresh<HbmContendedChannel>(params);
  }
};
struct HbmLockstepSubject {
  static constexpr bool reorders = true;
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
/// Reads and writes each have their direction of the link, and share the device.
inline BytesPerSecond both_ways(const LinkedMemoryParams& p) {
  return std::min(peak_bandwidth(p.device), BytesPerSecond{2 * peak_bandwidth(p.link).count()});
}
struct LinkedSubject {
  static auto make() { return fresh<LinkedMemory>(far_memory()); }
  static BytesPerSecond peak() { return both_ways(far_memory()); }
  static Picoseconds refresh_anomaly() { return 0_ps; }
  static Bytes spread() { return 1_B; }
};
/// DDR5 as a die's own, as configs/tiers/ddr5.yaml, behind a link that does not bind.
inline LinkedMemoryParams ddr5() {
  LinkedMemoryParams p = far_memory();
  p.device = {.standard = "ddr5",
              .channels = 2,
              .rate = 25_GBps + BytesPerSecond{600'000'000},
              .burst = 64_B,
              .page = 4_KiB,
              .interleave = 256_B,
              .banks = 32,
              .page_read = 46'200_ps,
              .page_write = 74'700_ps,
              .four_pages = 20_ns,
              .refresh_interval = 3900_ns,
              .refresh_time = 295_ns,
              .read_latency = 95_ns,
              .write_latency = 0_ps};
  p.link = {.standard = "wide", .rate = 500_GBps, .latency = 1_ns, .packet = 64_B, .header = 0_B};
  return p;
}
struct Ddr5Subject : LinkedSubject {
  static auto make() { return fresh<LinkedMemory>(ddr5()); }
  static BytesPerSecond peak() { return both_ways(ddr5()); }
};
/// Flash, as configs/tiers/nvme.yaml behind pcie5-x4.
inline LinkedMemoryParams flash() {
  LinkedMemoryParams p = far_memory();
  p.device = {.standard = "nvme",
              .channels = 16,
              .rate = BytesPerSecond{1'200'000'000},
              .burst = 4_KiB,
              .page = 16_KiB,
              .interleave = 16_KiB,
              .banks = 32,
              .page_read = 80_us,
              .page_write = 1850_us,
              .four_pages = {},
              .refresh_interval = {},
              .refresh_time = {},
              .read_latency = 70_us,
              .write_latency = 5_us};
  p.link = {
      .standard = "pcie5-x4", .rate = 16_GBps, .latency = 500_ns, .packet = 256_B, .header = 28_B};
  return p;
}
struct FlashSubject : LinkedSubject {
  static auto make() { return fresh<LinkedMemory>(flash()); }
  static BytesPerSecond peak() { return both_ways(flash()); }
};

}  // namespace subjects
}  // namespace reticle
