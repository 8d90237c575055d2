// SPDX-License-Identifier: Apache-2.0
// Parameter sets of the model tests.
#pragma once

#include "models/package/platform_spec.hpp"

namespace reticle {

using namespace literals;

/// HBM3 at 6.4 Gb/s, tCK = 625 ps. [Ramulator 2.1 python/ramulator/dram/hbm3.py, 16 Gb 8-high; the
/// table in docs/models/hbm.md gives the clocks]
inline HbmTiming hbm3_timing() {
  constexpr auto clocks = [](std::int64_t n) { return n * 625_ps; };
  return {.t_ck = clocks(1),
          .t_burst = clocks(2),
          .t_ccd_s = clocks(2),
          .t_ccd_l = clocks(4),
          .t_ccd_r = clocks(3),
          .t_cl = clocks(20),
          .t_cwl = clocks(10),
          .t_rcd_rd = clocks(31),
          .t_rcd_wr = clocks(15),
          .t_rp = clocks(26),
          .t_ras = clocks(45),
          .t_rc = clocks(72),
          .t_rrd_s = clocks(4),
          .t_rrd_l = clocks(5),
          .t_faw = clocks(24),
          .t_wr = clocks(33),
          .t_wtr_s = clocks(7),
          .t_wtr_l = clocks(10),
          .t_rtp = clocks(9),
          .t_rtw = clocks(20),
          .t_ppd = clocks(2),
          .t_rrefd = clocks(8),
          .t_rfc_ab = clocks(560),
          .t_rfc_pb = clocks(320),
          .t_refi = clocks(6240)};
}

/// One stack: 32 pseudo-channels of 512 MiB, 4 bank groups x 4 banks x 2 stack ids.
inline HbmParams hbm3(RefreshMode refresh) {
  HbmParams params;
  params.standard = "hbm3";
  params.stacks = 1;
  params.capacity_per_stack = 32 * 512_MiB;
  params.pseudo_channels = 32;
  params.bank_groups = 4;
  params.stack_ids = 2;
  params.banks_per_group = 4;
  params.address_map = "co1 bg2 co4 ba2 si1 ro";
  params.activate_half_clocks = 3;
  params.precharge_half_clocks = 1;
  params.row = 1_KiB;
  params.burst = 32_B;
  params.interleave = 256_B;
  params.refresh = refresh;
  params.simulated_channels = 1;
  params.timing = hbm3_timing();
  return params;
}

/// 1 GHz, so that a cycle is 1 ns and formulas over cycles are exact.
inline constexpr SramParams kSram{.capacity = 1_MiB,
                                  .banks = 8,
                                  .width = 64_B,
                                  .ports = 1,
                                  .clock = 1000_MHz,
                                  .latency = 4_cycles,
                                  .interleave = 64_B};

inline LinkedMemoryParams far_memory() {
  return {
      .capacity = 1_GB,
      .queue_depth = 16,
      .device = {.standard = "test",
                 .channels = 4,
                 .rate = 16_GBps,
                 .burst = 32_B,
                 .page = 2_KiB,
                 .interleave = 256_B,
                 .banks = 16,
                 .page_read = 64_ns,
                 .page_write = 96_ns,
                 .four_pages = 20_ns,
                 .refresh_interval = {},
                 .refresh_time = {},
                 .read_latency = 120_ns,
                 .write_latency = 30_ns},
      .link = {
          .standard = "test", .rate = 32_GBps, .latency = 250_ns, .packet = 256_B, .header = 64_B}};
}

inline MacParams mac_array() {
  MacParams params{.arrays = 4, .rows = 128, .cols = 128, .clock = 1000_MHz, .cycles_per_pass = {}};
  params.cycles_per_pass[static_cast<std::size_t>(Precision::Fp8)] = 1;
  params.cycles_per_pass[static_cast<std::size_t>(Precision::Bf16)] = 2;
  return params;
}

inline constexpr VectorParams kVector{.lanes = 256, .clock = 1000_MHz, .latency = 20_cycles};

/// 100 GB/s: 10 ps a byte, so that serialisation is exact.
inline constexpr LinkParams kLink{.rate = 100_GBps, .latency = 50_ns, .buffer = 1_MiB};
inline constexpr Picoseconds kRouter = 5_ns;

inline FabricLevel fabric_level(TopologyKind kind, std::int64_t width, std::int64_t height = 1) {
  return {.name = "package",
          .kind = kind,
          .width = width,
          .height = height,
          .link = kLink,
          .router_latency = kRouter,
          .ports = 1};
}

inline FabricParams fabric_of(TopologyKind kind, std::int64_t width, std::int64_t height = 1) {
  return {.levels = {fabric_level(kind, width, height)}, .exchange_overhead = 200_ns};
}

/// `dies` alike, fully connected; refresh off, so that formulas need no refresh phase.
inline PlatformSpec platform(std::int64_t dies) {
  PlatformSpec spec;
  spec.name = "test";
  spec.dies_per_package = dies;
  spec.die.sequencer.staging = 64_KiB;
  spec.die.sequencer.load_tile = 32_KiB;
  spec.die.sram = kSram;
  spec.die.hbm = hbm3(RefreshMode::Off);
  spec.die.far = far_memory();
  spec.die.mac = mac_array();
  spec.die.vector = kVector;
  spec.fabric = fabric_of(TopologyKind::FullyConnected, dies);
  return spec;
}

}  // namespace reticle
