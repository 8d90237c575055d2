// SPDX-License-Identifier: Apache-2.0
// A small platform with a different figure in every place, and counts of something it did.
#pragma once

#include "models/package/event_counts.hpp"
#include "models/package/platform_spec.hpp"

namespace reticle {

inline PlatformSpec example_platform() {
  using namespace literals;
  PlatformSpec p;
  p.name = "example";
  p.title = "Example machine";
  p.process = "N3";
  p.status = "hypothetical";
  p.dies_per_package = 2;
  p.packages_per_node = 3;
  p.nodes = 2;
  p.die.sram = {.capacity = 1_GB,
                .banks = 4,
                .width = 64_B,
                .ports = 2,
                .clock = 1000_MHz,
                .latency = 4_cycles,
                .interleave = 64_B};
  HbmParams hbm;
  hbm.stacks = 2;
  hbm.capacity_per_stack = 16_GB;
  hbm.pseudo_channels = 32;
  hbm.row = 1_KiB;
  hbm.burst = 32_B;
  hbm.timing.t_refi = 3900_ns;
  p.die.hbm = hbm;
  p.die.area_mm2 = 500;
  const FabricLevel level{.name = "package",
                          .kind = TopologyKind::FullyConnected,
                          .width = 2,
                          .height = 1,
                          .link = {100_GBps, 10_ns, 64_KiB}};
  p.fabric.levels = {level, level, level};
  p.fabric.levels[1].name = "node";
  p.fabric.levels[1].kind = TopologyKind::Switch;
  p.fabric.levels[1].width = 3;
  p.fabric.levels[2].name = "scale_out";
  p.energy = {.sram_read_pj_per_bit = 0.11,
              .sram_write_pj_per_bit = 0.13,
              .hbm = {.activate_nj = 0.9,
                      .read_pj_per_bit = 2.5,
                      .write_pj_per_bit = 2.7,
                      .io_pj_per_bit = 0.8,
                      .bank_active_mw = 0.56,
                      .refresh_row_nj = 0.7,
                      .background_w_per_stack = 0.38,
                      .phy_pj_per_bit = 1.2},
              .far_pj_per_bit = 11,
              .flash_pj_per_bit = 100,
              .transport_pj_per_bit = 0.9,
              .mac_pj = {5, 0.3, 0.31, 0.08, 0.04, 0.02, 0.021},
              .vector_pj = 0.5,
              .link_pj_per_bit = {0.6, 5, 50},
              .die_static_w = 60,
              .sram_leakage_w_per_mb = 0.004,
              .package_static_w = 100};
  p.cost = {.node_price_usd = 30'000,
            .lifetime_years = 3,
            .utilisation = 0.7,
            .electricity_usd_per_kwh = 0.08,
            .pue = 1.2,
            .stream_rate_tokens_per_s = 5};
  p.node_power_limit_w = 1e6;
  p.heat_flux_limit_w_per_mm2 = 1.5;
  return p;
}

inline EventCounts example_counts() {
  using namespace literals;
  EventCounts c;
  c.read = {3_GB, 7_GB, 2_GB, 4_GB};
  c.written = {1_GB, 4_GB, 5_GB, 5_GB};
  c.staged = 6_GB;
  c.loaded = {5_GB, 15_GB, 0_B, 2_GB, 0_B, 0_B, 0_B, 0_B, 0_B, 0_B};
  c.hbm_activates = 1'000'001;
  c.hbm_read_bursts = 218'750'007;  // a few bytes beyond those asked for
  c.hbm_written_bursts = 125'000'003;
  c.hbm_bank_active_us = 2'000'003;
  c.hbm_bank_refreshes = 17;
  c.hbm_refreshes = 1'003;
  c.macs = {0, 11'000'000'000, 0, 13'000'000'000, 0, 17'000'000'000, 19};
  c.vector_ops = 23'000'000'000;
  c.link_bytes = {29_GB, 31_GB, 37_GB};
  c.sram_busy = 480_us;
  c.hbm_busy = 38'400_us;
  c.mac_busy = 300_us;
  c.vector_busy = 60_us;
  c.link_busy = {600_us, 700_us, 800_us};
  return c;
}

}  // namespace reticle
