// SPDX-License-Identifier: Apache-2.0
// What energy is priced by: closed forms of the counts, and both forms of the channel on the same
// traffic.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/hbm/hbm_channel.hpp"
#include "models/hbm/hbm_cycle_channel.hpp"
#include "models/hbm/hbm_memory.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"
#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_run_traffic.hpp"

namespace reticle {
namespace {

/// Per burst, so that runs of unequal length compare.
struct Rates {
  double activates = 0, open_ns = 0;
};

Rates rates_of(const HbmTrafficRun& run, const HbmParams& params) {
  const HbmCommandCounts& counts = run.controller().counts();
  const auto issued = [&](HbmCommand c) { return counts.issued[static_cast<std::size_t>(c)]; };
  const auto bursts = static_cast<double>(issued(HbmCommand::Read) + issued(HbmCommand::Write));
  const auto half_clocks = static_cast<double>(counts.bank_active);
  return {static_cast<double>(issued(HbmCommand::Activate)) / bursts,
          half_clocks * static_cast<double>(params.timing.t_ck.count()) / 2000 / bursts};
}

Rates rates_of(const MemoryStats& stats) {
  const auto bursts = static_cast<double>(stats.read_bursts + stats.written_bursts);
  return {static_cast<double>(stats.activates) / bursts,
          static_cast<double>(stats.bank_active_ns) / bursts};
}

TEST_CASE("HBM counts: transactions agree with commands in activates and open rows") {
  using Order = HbmTraffic::Order;
  struct Row {
    Order order;
    std::int64_t chunk, depth;
    double reads, activates, open;  ///< bounds
  };
  // Small pieces at depth gather rows differently in both forms; mixes lose some to drains.
  const std::vector<Row> rows{
      {Order::Sequential, 1 << 20, 1, 1, 0.01, 0.06}, {Order::Sequential, 65'536, 4, 1, 0.01, 0.06},
      {Order::Random, 65'536, 4, 1, 0.01, 0.06},      {Order::Random, 4096, 8, 1, 0.02, 0.15},
      {Order::Random, 256, 32, 1, 0.02, 0.3},         {Order::Random, 64, 64, 1, 0.02, 0.3},
      {Order::Random, 64, 1, 1, 0.01, 0.02},          {Order::Both, 65'536, 8, 0.8, 0.06, 0.06}};
  for (const HbmParams& preset : {hbm2_preset(), hbm3_preset(), hbm4_preset()})
    for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank, RefreshMode::PerBank})
      for (const Row& row : rows) {
        HbmParams params = preset;
        params.refresh = refresh;
        HbmTraffic traffic;
        traffic.order = row.order;
        traffic.chunk = row.chunk;
        traffic.depth = row.depth;
        traffic.read_fraction = row.reads;
        traffic.posted_writes = true;
        traffic.warm_up = 1;
        traffic.measured = std::max<std::int64_t>(20, 2'000'000 / row.chunk);
        HbmTrafficRun run{params, traffic};
        (void)run.run();
        const Rates commands = rates_of(run, params);
        MemoryStats stats;
        (void)run_on_transactions(params, traffic, &stats);
        const Rates transactions = rates_of(stats);
        CAPTURE(params.standard);
        CAPTURE(static_cast<int>(refresh));
        CAPTURE(static_cast<int>(row.order));
        CAPTURE(row.chunk);
        CHECK(std::abs(transactions.activates / commands.activates - 1) <= row.activates);
        CHECK(std::abs(transactions.open_ns / commands.open_ns - 1) <= row.open);
      }
}

TEST_CASE("HBM counts: both forms of the channel move the same bursts, refresh as often") {
  for (const RefreshMode refresh : {RefreshMode::AllBank, RefreshMode::PerBank}) {
    HbmChannel transactions{sc_core::sc_gen_unique_name("transactions"), hbm3(refresh)};
    HbmCycleChannel commands{sc_core::sc_gen_unique_name("commands"), hbm3(refresh)};
    RngStream rng{7, "runs of whole and broken bursts"};
    Picoseconds at{};
    for (int i = 0; i < 200; ++i) {
      // A place of its own for each: no read meets a write that still waits.
      const MemoryRun run{rng.below(4) == 0 ? Access::Write : Access::Read, i * 64_KiB,
                          Bytes{static_cast<std::int64_t>(1 + rng.below(20'000))},
                          rng.below(3) == 0 ? Bytes{100} : 0_B};
      at = max(transactions.access(run, at).done, commands.access(run, at).done);
    }
    const MemoryStats a = transactions.stats(), b = commands.stats();
    CHECK(a.read_bursts > 10'000);
    CHECK(a.read_bursts == b.read_bursts);
    CHECK(a.read_bursts * 32 > a.read.count());
    // The last writes may still wait in the command form's queue.
    CHECK(a.written_bursts >= b.written_bursts);
    CHECK(a.written_bursts - b.written_bursts <= hbm3(refresh).controller.write_queue);
    const auto refreshes = static_cast<double>(b.refreshes + b.bank_refreshes);
    CHECK(refreshes > 10);
    CHECK((a.refreshes == 0) == (b.refreshes == 0));
    CHECK(static_cast<double>(a.refreshes + a.bank_refreshes) ==
          doctest::Approx(refreshes).epsilon(0.05));
  }
}

TEST_CASE("HBM counts: a stream opens each of its rows once, and all banks stay open") {
  const HbmParams params = hbm3(RefreshMode::Off);
  HbmChannel dut{"dut", params};
  const Bytes bytes = 4_MiB;
  const Picoseconds done = dut.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done;
  const MemoryStats stats = dut.stats();
  CHECK(stats.activates == bytes.count() / params.row.count());
  CHECK(stats.read_bursts == bytes.count() / params.burst.count());
  CHECK(stats.written_bursts == 0);
  // tRP between two rows of a bank; the first round of banks opens one set after the other.
  const double all = static_cast<double>(banks(params)) * static_cast<double>(done.count()) / 1000;
  const double gaps =
      static_cast<double>(stats.activates) * static_cast<double>(params.timing.t_rp.count()) / 1000;
  CHECK(static_cast<double>(stats.bank_active_ns) == doctest::Approx(all - gaps).epsilon(0.01));
}

TEST_CASE("HBM counts: a row left open is so until the next refresh") {
  const HbmParams params = hbm3(RefreshMode::AllBank);
  const HbmTiming& t = params.timing;
  HbmChannel dut{"dut", params};
  dut.access({Access::Read, 0_B, 64_B, 0_B}, 0_ps);
  const Picoseconds late = 10 * t.t_refi + 2_us;
  const Picoseconds done = dut.access({Access::Read, 64_B, 64_B, 0_B}, late).done;
  // One bank from its activate at 0 to the first refresh, the other from its activate to the end.
  CHECK(dut.stats().bank_active_ns == (t.t_refi + done - late).count() / 1000);
  CHECK(dut.stats().activates == 2);
}

TEST_CASE("HBM counts: scattered pieces of 64 B open a row each") {
  const HbmParams params = hbm3(RefreshMode::Off);
  HbmChannel dut{"dut", params};
  dut.access({Access::Read, 0_B, 1_MiB, 64_B}, 0_ps);
  const MemoryStats stats = dut.stats();
  CHECK(stats.read_bursts == 32'768);
  CHECK(static_cast<double>(stats.activates) == doctest::Approx(16'384).epsilon(0.01));
}

TEST_CASE("HBM counts: a stack counts the bursts a run covers, in lockstep or not") {
  for (const std::int64_t simulated : {1, 32}) {
    HbmParams params = hbm3(RefreshMode::Off);
    params.simulated_channels = simulated;
    HbmMemory dut{sc_core::sc_gen_unique_name("dut"), params};
    dut.access({Access::Read, 0_B, 1_MiB, 0_B}, 0_ps);
    CHECK(dut.stats().read_bursts == 32'768);
    dut.access({Access::Write, 16_B, 32_B, 0_B}, 0_ps);  // astride two bursts
    CHECK(dut.stats().written_bursts == 2);
    dut.access({Access::Read, 0_B, 1000_B, 100_B}, 0_ps);  // ten pieces of four bursts
    CHECK(dut.stats().read_bursts == 32'768 + 40);
    CHECK(dut.stats().bank_active_ns > 0);
  }
}

}  // namespace
}  // namespace reticle
