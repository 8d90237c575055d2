// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_memory.hpp"
#include "models/hbm/hbm_channel.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

HbmParams simulating(std::int64_t simulated, RefreshMode refresh = RefreshMode::AllBank) {
  HbmParams params = hbm3(refresh);
  params.simulated_channels = simulated;
  return params;
}
const std::int64_t kChannels = channels(hbm3(RefreshMode::Off));
const Bytes kStripe = hbm3(RefreshMode::Off).interleave;
const Bytes kRound = kChannels * kStripe;  ///< one stripe in every channel

/// How far the ends of the same runs lie apart: one channel in lockstep against each on its own.
struct Difference {
  double final = 0;     ///< of the last end, relative
  Picoseconds worst{};  ///< of any end
};
Difference difference(const std::vector<MemoryRun>& runs, RefreshMode refresh) {
  HbmMemory lockstep{sc_core::sc_gen_unique_name("lockstep"), simulating(1, refresh)};
  HbmMemory each{sc_core::sc_gen_unique_name("each"), simulating(kChannels, refresh)};
  Picoseconds end_1{}, end_n{}, worst{};
  for (const MemoryRun& run : runs) {
    end_1 = max(end_1, lockstep.access(run, 0_ps).done);
    end_n = max(end_n, each.access(run, 0_ps).done);
    worst = max(worst, Picoseconds{std::abs((end_1 - end_n).count())});
  }
  return {std::abs(seconds(end_1 - end_n)) / seconds(end_n), worst};
}

std::vector<MemoryRun> striped_runs(bool aligned) {
  RngStream rng{5, "striped runs"};
  std::vector<MemoryRun> runs;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t unit = aligned ? kRound.count() : 32;
    const auto below = [&](std::int64_t bytes) {
      return Bytes{static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bytes / unit))) *
                   unit};
    };
    runs.push_back({.kind = rng.below(8) == 0 ? Access::Write : Access::Read,
                    .address = below(1 << 30),
                    .bytes = Bytes{64 * kRound.count()} + below(2 << 20),
                    .piece = 0_B});
  }
  return runs;
}

TEST_CASE("HbmMemory: one channel in lockstep stands for all on striped runs") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank}) {
    const Difference aligned = difference(striped_runs(true), refresh);
    const Difference odd = difference(striped_runs(false), refresh);
    MESSAGE("lockstep against channel by channel, refresh "
            << std::string(refresh == RefreshMode::Off ? "off" : "all-bank")
            << ", odd addresses and sizes: end " << 100 * odd.final << " %, worst "
            << odd.worst.count() << " ps");
    CHECK(aligned.worst == 0_ps);
    CHECK(odd.final < 0.005);
  }
}

TEST_CASE("HbmMemory: lockstep and channel by channel agree on evenly spread pieces") {
  std::vector<MemoryRun> runs;
  for (const Bytes piece : {64_B, 256_B, 1_KiB, 8_KiB, 32_KiB})
    for (int i = 0; i < 20; ++i) runs.push_back({Access::Read, 0_B, 40 * 32_KiB, piece});
  CHECK(difference(runs, RefreshMode::AllBank).worst == 0_ps);
}

TEST_CASE("HbmMemory: a striped run is one channel's share at one channel's speed") {
  HbmMemory dut{"dut", simulating(1, RefreshMode::Off)};
  HbmChannel channel{"channel", hbm3(RefreshMode::Off)};
  const Bytes share = 16_KiB;
  CHECK(dut.access({Access::Read, 0_B, kChannels * share, 0_B}, 0_ps).done ==
        channel.access({Access::Read, 0_B, share, 0_B}, 0_ps).done);
}

TEST_CASE("HbmMemory: a run within one stripe occupies one channel only") {
  HbmMemory dut{"dut", simulating(kChannels, RefreshMode::Off)};
  const HbmTiming t = hbm3_timing();
  const Picoseconds alone = t.t_rcd_rd + t.t_cl + kStripe.count() / 32 * t.t_burst;
  // As many stripes as channels, all at once: none waits for another.
  for (std::int64_t c = 0; c < kChannels; ++c)
    CHECK(dut.access({Access::Read, c * kStripe, kStripe, 0_B}, 0_ps).done == alone);
  CHECK(dut.access({Access::Read, kRound, kStripe, 0_B}, 0_ps).done > alone);
}

TEST_CASE("HbmMemory: groups in lockstep take turns by address") {
  const std::int64_t groups = 4;
  HbmMemory dut{"dut", simulating(groups, RefreshMode::Off)};
  const Bytes run = kChannels / groups * kStripe;
  const Picoseconds first = dut.access({Access::Read, 0_B, run, 0_B}, 0_ps).done;
  for (std::int64_t g = 1; g < groups; ++g)
    CHECK(dut.access({Access::Read, g * run, run, 0_B}, 0_ps).done == first);
}

TEST_CASE("HbmMemory: activates and busy time count every physical channel") {
  const Bytes bytes = 64 * kRound;
  HbmMemory lockstep{"lockstep", simulating(1)};
  HbmMemory each{"each", simulating(kChannels)};
  for (HbmMemory* dut : {&lockstep, &each}) dut->access({Access::Read, 0_B, bytes, 0_B}, 0_ps);
  const HbmParams p = hbm3(RefreshMode::AllBank);
  CHECK(lockstep.stats().activates == bytes.count() / p.row.count());
  CHECK(lockstep.stats().busy == bytes.count() / p.burst.count() * p.timing.t_burst);
  CHECK(each.stats().activates == lockstep.stats().activates);
  CHECK(each.stats().busy == lockstep.stats().busy);
}

TEST_CASE("HbmMemory: simulated channels must divide the channels") {
  CHECK_THROWS_AS(HbmMemory("dut", simulating(5)), InvariantError);
}

}  // namespace
}  // namespace reticle
