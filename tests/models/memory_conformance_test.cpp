// SPDX-License-Identifier: Apache-2.0
#include "tests/models/memory_conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
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
Picoseconds hbm_anomaly() {
  const HbmTiming t = hbm3_timing();
  return t.t_rp + t.t_rcd_rd + t.t_rtp;
}

struct SramSubject {
  static auto make() { return fresh<SramBankGroup>(kSram); }
  static BytesPerSecond peak() { return peak_bandwidth(kSram); }
  static Picoseconds refresh_anomaly() { return 0_ps; }
  static Bytes spread() { return 1_B; }
};
struct CycleSramSubject : SramSubject {
  static auto make() { return fresh<CycleSram>(kSram); }
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

TYPE_TO_STRING_AS("SRAM", reticle::subjects::SramSubject);
TYPE_TO_STRING_AS("SRAM cycle by cycle", reticle::subjects::CycleSramSubject);
TYPE_TO_STRING_AS("HBM channel", reticle::subjects::HbmChannelSubject);
TYPE_TO_STRING_AS("HBM channel without refresh", reticle::subjects::HbmChannelNoRefreshSubject);
TYPE_TO_STRING_AS("HBM in lockstep", reticle::subjects::HbmLockstepSubject);
TYPE_TO_STRING_AS("HBM channel by channel", reticle::subjects::HbmEachChannelSubject);
TYPE_TO_STRING_AS("linked memory", reticle::subjects::LinkedSubject);

namespace reticle {
namespace {

using namespace subjects;

#define RETICLE_EVERY_MEMORY                                                    \
  SramSubject, CycleSramSubject, HbmChannelSubject, HbmChannelNoRefreshSubject, \
      HbmLockstepSubject, HbmEachChannelSubject, LinkedSubject

TEST_CASE_TEMPLATE("Memory: accepted, started, first data and done follow in order", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::times_are_in_order<Subject>();
}
TEST_CASE_TEMPLATE("Memory: zero bytes take no time and count nothing", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::zero_bytes_take_no_time<Subject>();
}
TEST_CASE_TEMPLATE("Memory: bytes are counted once and as asked", Subject, RETICLE_EVERY_MEMORY) {
  conformance::bytes_are_counted_as_asked<Subject>();
}
TEST_CASE_TEMPLATE("Memory: nothing is faster than peak bandwidth", Subject, RETICLE_EVERY_MEMORY) {
  conformance::never_beats_its_peak<Subject>();
}
TEST_CASE_TEMPLATE("Memory: more bytes never finish earlier", Subject, RETICLE_EVERY_MEMORY) {
  conformance::more_bytes_never_finish_earlier<Subject>();
}
TEST_CASE_TEMPLATE("Memory: calls are served in call order", Subject, RETICLE_EVERY_MEMORY) {
  conformance::calls_are_served_in_order<Subject>();
}
TEST_CASE_TEMPLATE("Memory: a later request never ends earlier", Subject, RETICLE_EVERY_MEMORY) {
  conformance::a_later_request_never_ends_earlier<Subject>();
}
TEST_CASE_TEMPLATE("Memory: pieces are never faster than one contiguous run", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::pieces_are_never_faster_than_one_run<Subject>();
}

}  // namespace
}  // namespace reticle
