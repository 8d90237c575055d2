// SPDX-License-Identifier: Apache-2.0
// HbmRunModel (transactions) beside HbmController (commands) on randomised traffic: streams and
// pages of 2 KiB and more, alone and mixed with writes, deep and shallow queues, three standards.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "sim/base/rng.hpp"
#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_run_traffic.hpp"
#include "tests/reference/validation_csv.hpp"

namespace reticle {
namespace {

struct Case {
  HbmParams params;
  HbmTraffic traffic;
};

constexpr std::array kOrders{"sequential", "random", "same row", "both"};

/// Sizes from 2 KiB to 128 KiB, evenly over their logarithm, in whole 64 B.
std::int64_t draw_size(RngStream& rng) {
  const double log2 = 11 + 6 * rng.uniform();
  return static_cast<std::int64_t>(std::exp2(log2)) / 64 * 64;
}

Case draw_case(RngStream& rng, bool mixed) {
  Case c{std::array{hbm2_preset(), hbm3_preset(), hbm4_preset()}[rng.below(3)], {}};
  c.params.refresh = rng.below(2) == 0 ? RefreshMode::Off : RefreshMode::AllBank;
  if (rng.below(4) == 0 && c.params.bank_groups == 4)
    c.params.address_map = c.params.stack_ids == 1 ? "co5 bg2 ba2 ro16" : "co5 bg2 ba2 si1 ro14";
  c.traffic.order = std::array{HbmTraffic::Order::Sequential, HbmTraffic::Order::Random,
                               HbmTraffic::Order::Both}[rng.below(3)];
  c.traffic.chunk = draw_size(rng);
  c.traffic.depth = std::int64_t{1} << rng.below(6);
  c.traffic.read_fraction = mixed ? 0.5 + 0.45 * rng.uniform() : 1;
  c.traffic.posted_writes = true;
  c.traffic.warm_up = 200;
  c.traffic.measured = std::max<std::int64_t>(400, 3'000'000 / c.traffic.chunk);
  return c;
}

/// Maps that keep consecutive bursts in one bank stand alone in their columns where a run ends;
/// no shipped standard has one. They miss the bound now and then, which is warned of, and fail at
/// twice the bound.
bool keeps_to_one_bank(const HbmParams& params) { return params.address_map.starts_with("co5"); }

/// Compares bandwidth on `cases` random cases; returns how many fail. Warns of all beyond `bound`.
int compare(int cases, bool mixed, double bound, ValidationCsv& csv) {
  RngStream rng{2026, mixed ? "mixed traffic" : "streams and pages"};
  int outside = 0, beyond = 0;
  double worst = 0, sum = 0;
  for (int i = 0; i < cases; ++i) {
    const Case c = draw_case(rng, mixed);
    const double commands = HbmTrafficRun{c.params, c.traffic}.run().gbps;
    const double transactions = run_on_transactions(c.params, c.traffic).gbps;
    const double off = transactions / commands - 1;
    outside += std::abs(off) > (keeps_to_one_bank(c.params) ? 2 * bound : bound);
    beyond += std::abs(off) > bound;
    worst = std::max(worst, std::abs(off));
    sum += std::abs(off);
    csv.row(c.params.standard, c.params.address_map,
            c.params.refresh == RefreshMode::Off ? "off" : "all-bank",
            kOrders[static_cast<std::size_t>(c.traffic.order)], c.traffic.chunk, c.traffic.depth,
            c.traffic.read_fraction, commands, transactions, 100 * off);
    if (std::abs(off) > bound)
      std::printf(
          "outside: %s %s %s %s %ld B, depth %ld, reads %.2f: %.3f against %.3f GB/s, "
          "%+.1f %%\n",
          c.params.standard.c_str(), c.params.address_map.c_str(),
          c.params.refresh == RefreshMode::Off ? "off" : "all-bank",
          kOrders[static_cast<std::size_t>(c.traffic.order)], c.traffic.chunk, c.traffic.depth,
          c.traffic.read_fraction, transactions, commands, 100 * off);
  }
  std::printf("%s: %d of %d within %.0f %%, mean %.2f %%, worst %.2f %%\n",
              mixed ? "mixes" : "streams and pages", cases - beyond, cases, 100 * bound,
              100 * sum / cases, 100 * worst);
  WARN(beyond == 0);
  return outside;
}

TEST_CASE("HBM transactions agree with commands: streams and pages of 2 KiB and more") {
  ValidationCsv csv{"hbm_transaction_reads.csv",
                    "standard,address_map,refresh,order,chunk_B,depth,read_fraction,cycle_GBps,"
                    "transaction_GBps,error_percent"};
  CHECK(compare(150, false, 0.03, csv) == 0);
}

TEST_CASE("HBM transactions agree with commands: mixes of reads and writes") {
  ValidationCsv csv{"hbm_transaction_mixes.csv",
                    "standard,address_map,refresh,order,chunk_B,depth,read_fraction,cycle_GBps,"
                    "transaction_GBps,error_percent"};
  CHECK(compare(150, true, 0.08, csv) == 0);
}

TEST_CASE("HBM transactions agree with commands: a scattered list of pages as one run") {
  for (const HbmParams& preset : {hbm2_preset(), hbm3_preset(), hbm4_preset()})
    for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank})
      for (const std::int64_t page : {2048, 4096, 16'384, 65'536}) {
        HbmParams params = preset;
        params.refresh = refresh;
        HbmTraffic traffic;
        traffic.order = HbmTraffic::Order::Random;
        traffic.chunk = page;
        traffic.depth = 64;
        traffic.warm_up = 200;
        traffic.measured = std::max<std::int64_t>(400, 4'000'000 / page);
        const double commands = HbmTrafficRun{params, traffic}.run().gbps;
        HbmRunModel dut{params};
        const MemoryRun list{Access::Read, Bytes{}, Bytes{16'000'000 / page * page}, Bytes{page}};
        const Picoseconds done = dut.access(list, Picoseconds{}).done;
        const double transactions = static_cast<double>(list.bytes.count()) / seconds(done) * 1e-9;
        CAPTURE(params.standard);
        CAPTURE(page);
        CHECK(transactions == doctest::Approx(commands).epsilon(0.03));
      }
}

}  // namespace
}  // namespace reticle
