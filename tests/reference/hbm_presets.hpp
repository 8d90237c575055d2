// SPDX-License-Identifier: Apache-2.0
// The standards the reference simulators were run with, in command clocks. [Ramulator 2.1 @
// c5b1c3a, python/ramulator/dram/hbm2.py, hbm3.py, hbm4.py]
#pragma once

#include "models/hbm/hbm_spec.hpp"

namespace reticle {

using namespace literals;

/// Clocks of a preset, named as in the standards.
struct HbmClocks {
  std::int64_t bl, cl, cwl, rcd_rd, rcd_wr, rp, ras, rc, wr, rtp, ccd_s, ccd_l, ccd_r, rrd_s, rrd_l,
      faw, wtr_s, wtr_l, rtw, ppd, rfc_ab, rfc_pb, refi, rrefd;
};

constexpr HbmTiming timing_of(const HbmClocks& n, Picoseconds ck) {
  return {.t_ck = ck,
          .t_burst = n.bl * ck,
          .t_ccd_s = n.ccd_s * ck,
          .t_ccd_l = n.ccd_l * ck,
          .t_ccd_r = n.ccd_r * ck,
          .t_cl = n.cl * ck,
          .t_cwl = n.cwl * ck,
          .t_rcd_rd = n.rcd_rd * ck,
          .t_rcd_wr = n.rcd_wr * ck,
          .t_rp = n.rp * ck,
          .t_ras = n.ras * ck,
          .t_rc = n.rc * ck,
          .t_rrd_s = n.rrd_s * ck,
          .t_rrd_l = n.rrd_l * ck,
          .t_faw = n.faw * ck,
          .t_wr = n.wr * ck,
          .t_wtr_s = n.wtr_s * ck,
          .t_wtr_l = n.wtr_l * ck,
          .t_rtp = n.rtp * ck,
          .t_rtw = n.rtw * ck,
          .t_ppd = n.ppd * ck,
          .t_rrefd = n.rrefd * ck,
          .t_rfc_ab = n.rfc_ab * ck,
          .t_rfc_pb = n.rfc_pb * ck,
          .t_refi = n.refi * ck};
}

/// HBM2 2.0 Gb/s, 8 Gb per channel: one pseudo-channel of 64 bits, burst length 4.
inline HbmParams hbm2_preset() {
  constexpr HbmClocks kClocks{.bl = 2,
                              .cl = 14,
                              .cwl = 5,
                              .rcd_rd = 14,
                              .rcd_wr = 12,
                              .rp = 14,
                              .ras = 34,
                              .rc = 48,
                              .wr = 16,
                              .rtp = 5,
                              .ccd_s = 2,
                              .ccd_l = 4,
                              .ccd_r = 2,
                              .rrd_s = 4,
                              .rrd_l = 4,
                              .faw = 15,
                              .wtr_s = 6,
                              .wtr_l = 8,
                              .rtw = 13,
                              .ppd = 1,
                              .rfc_ab = 350,
                              .rfc_pb = 160,
                              .refi = 3900,
                              .rrefd = 8};
  HbmParams p;
  p.standard = "hbm2";
  p.stacks = 1;
  p.pseudo_channels = 16;
  p.stack_ids = 1;
  p.bank_groups = 4;
  p.banks_per_group = 4;
  p.row = 1_KiB;
  p.burst = 32_B;
  p.interleave = 256_B;
  p.capacity_per_stack = 16 * 65'536 * 16 * p.row;
  p.address_map = "co1 bg2 co4 ba2 ro16";
  p.activate_half_clocks = 4;
  p.precharge_half_clocks = 2;
  p.refresh = RefreshMode::Off;
  p.timing = timing_of(kClocks, 1000_ps);
  return p;
}

/// HBM2E 3.8 Gb/s, 16 Gb dies 8-high: HBM2 with a second stack id and more clocks for the same
/// times.
inline HbmParams hbm2e_preset() {
  constexpr HbmClocks kClocks{.bl = 2,
                              .cl = 27,
                              .cwl = 10,
                              .rcd_rd = 27,
                              .rcd_wr = 22,
                              .rp = 27,
                              .ras = 63,
                              .rc = 90,
                              .wr = 30,
                              .rtp = 10,
                              .ccd_s = 2,
                              .ccd_l = 6,
                              .ccd_r = 2,
                              .rrd_s = 8,
                              .rrd_l = 8,
                              .faw = 29,
                              .wtr_s = 12,
                              .wtr_l = 16,
                              .rtw = 21,
                              .ppd = 1,
                              .rfc_ab = 856,
                              .rfc_pb = 305,
                              .refi = 7415,
                              .rrefd = 16};
  HbmParams p = hbm2_preset();
  p.standard = "hbm2e";
  p.stack_ids = 2;
  p.capacity_per_stack = 16 * 32'768 * 32 * p.row;
  p.address_map = "co1 bg2 co4 ba2 si1 ro15";
  p.timing = timing_of(kClocks, 526_ps);
  return p;
}

/// HBM3 6.4 Gb/s, 16 Gb dies 8-high: one pseudo-channel of 32 bits, burst length 8.
inline HbmParams hbm3_preset() {
  constexpr HbmClocks kClocks{.bl = 2,
                              .cl = 20,
                              .cwl = 10,
                              .rcd_rd = 31,
                              .rcd_wr = 15,
                              .rp = 26,
                              .ras = 45,
                              .rc = 72,
                              .wr = 33,
                              .rtp = 9,
                              .ccd_s = 2,
                              .ccd_l = 4,
                              .ccd_r = 3,
                              .rrd_s = 4,
                              .rrd_l = 5,
                              .faw = 24,
                              .wtr_s = 7,
                              .wtr_l = 10,
                              .rtw = 20,
                              .ppd = 2,
                              .rfc_ab = 560,
                              .rfc_pb = 320,
                              .refi = 6240,
                              .rrefd = 8};
  HbmParams p;
  p.standard = "hbm3";
  p.stacks = 1;
  p.pseudo_channels = 32;
  p.stack_ids = 2;
  p.bank_groups = 4;
  p.banks_per_group = 4;
  p.row = 1_KiB;
  p.burst = 32_B;
  p.interleave = 256_B;
  p.capacity_per_stack = 32 * 16'384 * 32 * p.row;
  p.address_map = "co1 bg2 co4 ba2 si1 ro14";
  p.activate_half_clocks = 3;
  p.precharge_half_clocks = 1;
  p.refresh = RefreshMode::Off;
  p.controller.read_queue = 128;
  p.timing = timing_of(kClocks, 625_ps);
  return p;
}

/// HBM3E 9.6 Gb/s, 24 Gb dies 12-high: three stack ids. [configs/hbm/hbm3e.yaml]
inline HbmParams hbm3e_preset() {
  constexpr HbmClocks kClocks{.bl = 2,
                              .cl = 30,
                              .cwl = 15,
                              .rcd_rd = 47,
                              .rcd_wr = 23,
                              .rp = 39,
                              .ras = 68,
                              .rc = 108,
                              .wr = 50,
                              .rtp = 14,
                              .ccd_s = 2,
                              .ccd_l = 6,
                              .ccd_r = 5,
                              .rrd_s = 6,
                              .rrd_l = 8,
                              .faw = 36,
                              .wtr_s = 11,
                              .wtr_l = 15,
                              .rtw = 30,
                              .ppd = 2,
                              .rfc_ab = 1080,
                              .rfc_pb = 480,
                              .refi = 9360,
                              .rrefd = 20};
  HbmParams p = hbm3_preset();
  p.standard = "hbm3e";
  p.stack_ids = 3;
  p.capacity_per_stack = 32 * 16'384 * 48 * p.row;
  p.address_map = "co1 bg2 co4 ba2 si*3 ro14";
  p.timing = timing_of(kClocks, 416_ps);
  return p;
}

/// HBM4 8 Gb/s, 32 Gb dies 8-high.
inline HbmParams hbm4_preset() {
  constexpr HbmClocks kClocks{.bl = 2,
                              .cl = 20,
                              .cwl = 10,
                              .rcd_rd = 39,
                              .rcd_wr = 19,
                              .rp = 33,
                              .ras = 57,
                              .rc = 90,
                              .wr = 42,
                              .rtp = 12,
                              .ccd_s = 2,
                              .ccd_l = 4,
                              .ccd_r = 2,
                              .rrd_s = 5,
                              .rrd_l = 7,
                              .faw = 30,
                              .wtr_s = 9,
                              .wtr_l = 13,
                              .rtw = 25,
                              .ppd = 2,
                              .rfc_ab = 900,
                              .rfc_pb = 560,
                              .refi = 7800,
                              .rrefd = 16};
  HbmParams p = hbm3_preset();
  p.standard = "hbm4";
  p.pseudo_channels = 64;
  p.bank_groups = 2;
  p.banks_per_group = 8;
  p.capacity_per_stack = 64 * 16'384 * 32 * p.row;
  p.address_map = "co1 bg1 co4 ba3 si1 ro14";
  p.timing = timing_of(kClocks, 500_ps);
  return p;
}

}  // namespace reticle
