// SPDX-License-Identifier: Apache-2.0
// A foreign TLM-2.0 memory in place of ours, under a die's sequencer: see foreign_memory.md.
#include <tlm_utils/simple_target_socket.h>

#include <cstdio>
#include <systemc>
#include <tlm>

#include "models/die/sequencer.hpp"
#include "models/hbm/hbm_memory.hpp"
#include "models/kernel/time.hpp"
#include "models/mac/mac_array.hpp"
#include "models/memory/tlm_initiator.hpp"
#include "models/sram/sram_bank_group.hpp"
#include "models/vector/vector_unit.hpp"

namespace {

using namespace reticle;
using namespace reticle::literals;

/// Somebody else's memory, knowing nothing of ours: a fixed latency, then 64 bytes a nanosecond,
/// one request after another.
class ForeignRam final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<ForeignRam> socket{"socket"};

  explicit ForeignRam(const sc_core::sc_module_name& name) : sc_module{name} {
    socket.register_b_transport(this, &ForeignRam::b_transport);
  }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
    const sc_core::sc_time start = asked < free_ ? free_ : asked;
    free_ = start + sc_core::sc_time(payload.get_data_length() / 64.0, sc_core::SC_NS);
    delay = free_ + sc_core::sc_time(100, sc_core::SC_NS) - sc_core::sc_time_stamp();
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  sc_core::sc_time free_;
};

/// There is one die: nobody to exchange with, nobody to tell.
class Alone final : public sc_core::sc_module, public FabricIf, public CompletionIf {
 public:
  explicit Alone(const sc_core::sc_module_name& name) : sc_module{name} {}
  void join(std::int32_t, std::int32_t) override {}
  void die_finished() override {}
};

HbmParams small_hbm() {
  HbmParams p;  // 32 pseudo-channels at 25.6 GB/s; timings of configs/hbm/hbm3.yaml, refresh off
  p.stacks = 1;
  p.capacity_per_stack = 16_GB;
  p.pseudo_channels = 32;
  p.bank_groups = 4;
  p.stack_ids = 2;
  p.banks_per_group = 4;
  p.address_map = "co1 bg2 co4 ba2 si1 ro";
  p.activate_half_clocks = 3;
  p.precharge_half_clocks = 1;
  p.row = 1_KiB;
  p.burst = 32_B;
  p.interleave = 256_B;
  p.refresh = RefreshMode::Off;
  p.simulated_channels = 1;
  p.timing = {.t_ck = 625_ps,
              .t_burst = 1250_ps,
              .t_ccd_s = 1250_ps,
              .t_ccd_l = 2500_ps,
              .t_ccd_r = 1875_ps,
              .t_cl = 12500_ps,
              .t_cwl = 6250_ps,
              .t_rcd_rd = 19375_ps,
              .t_rcd_wr = 9375_ps,
              .t_rp = 16250_ps,
              .t_ras = 28125_ps,
              .t_rc = 45_ns,
              .t_rrd_s = 2500_ps,
              .t_rrd_l = 3125_ps,
              .t_faw = 15_ns,
              .t_wr = 20625_ps,
              .t_wtr_s = 4375_ps,
              .t_wtr_l = 6250_ps,
              .t_rtp = 5625_ps,
              .t_rtw = 12500_ps,
              .t_ppd = 1250_ps,
              .t_rrefd = 5_ns,
              .t_rfc_ab = 350_ns,
              .t_rfc_pb = 200_ns,
              .t_refi = 3900_ns};
  return p;
}

MacParams small_mac() {
  MacParams p{.arrays = 16, .rows = 64, .cols = 64, .clock = 1000_MHz, .cycles_per_pass = {}};
  p.cycles_per_pass[static_cast<std::size_t>(Precision::Fp8)] = 1;
  return p;
}

/// A sequencer with our units, and whatever memory is bound to `hbm`.
class SmallDie final : public sc_core::sc_module {
 public:
  SmallDie(const sc_core::sc_module_name& name, MemoryIf& memory, Alone& alone)
      : sc_module{name},
        sram{"sram",
             {.capacity = 1_MiB,
              .banks = 8,
              .width = 64_B,
              .clock = 1000_MHz,
              .latency = 4_cycles,
              .interleave = 64_B}},
        mac{"mac", small_mac()},
        vector{"vector", {.lanes = 256, .clock = 1000_MHz, .latency = 20_cycles}},
        sequencer{"sequencer", 256_KiB} {
    sequencer.sram.bind(sram.port);
    sequencer.hbm.bind(memory);
    sequencer.mac.bind(mac.port);
    sequencer.vector.bind(vector.port);
    sequencer.fabric.bind(alone);
    sequencer.completion.bind(alone);
  }
  SramBankGroup sram;
  MacArray mac;
  VectorUnit vector;
  Sequencer sequencer;
};

/// Four weight tiles of 64 KiB stream in and are multiplied as they come.
Program weight_stream() {
  Program program;
  for (std::int32_t tile = 0; tile < 4; ++tile) {
    Instruction load;
    load.code = OpCode::Load;
    load.unit = Unit::HbmPort;
    load.tier = Tier::Hbm;
    load.category = TimeCategory::WeightsHbm;
    load.staged = true;
    load.amount = (64_KiB).count();
    load.address = tile * load.amount;
    const std::int32_t loaded = program.add(load);
    program.shapes.push_back({.m = 8, .k = 256, .n = 256});
    Instruction mac;
    mac.code = OpCode::Mac;
    mac.unit = Unit::Mac;
    mac.category = TimeCategory::Mac;
    mac.precision = Precision::Fp8;
    mac.shapes_begin = tile;
    mac.shapes_end = tile + 1;
    mac.after[0] = {loaded, true};
    program.code[static_cast<std::size_t>(loaded)].consumer = program.add(mac);
  }
  return program;
}

}  // namespace

int sc_main(int, char*[]) {
  Alone alone{"alone"};
  HbmMemory ours{"ours", small_hbm()};
  SmallDie first{"first", ours, alone};

  // The three lines that put the foreign memory in its place.
  ForeignRam foreign{"foreign"};
  TlmInitiator bridge{"bridge", {.capacity = 16_GB, .chunk = 4_KiB, .outstanding = 8}};
  bridge.socket.bind(foreign.socket);
  SmallDie second{"second", bridge, alone};

  const Program program = weight_stream();
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  first.sequencer.start(program);
  second.sequencer.start(program);
  sc_core::sc_start();

  for (const SmallDie* die : {&first, &second})
    std::printf("%-7s ends at %lld ps\n", die->basename(),
                static_cast<long long>(die->sequencer.end().count()));
  std::printf("bytes read through the bridge: %lld\n",
              static_cast<long long>(bridge.stats().read.count()));
  return first.sequencer.finished() && second.sequencer.finished() ? 0 : 1;
}
