// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_contended_model.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/reference/hbm_presets.hpp"

namespace reticle {
namespace {

constexpr Bytes kLong = 64_KiB;

HbmParams contended(RefreshMode refresh) {
  HbmParams params = hbm3_preset();
  params.refresh = refresh;
  params.commands_below = kLong;
  return params;
}

MemoryRun random_run(RngStream& rng, std::int64_t least, std::int64_t most) {
  const auto bytes =
      least + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(most - least)));
  return {.kind = rng.below(4) == 0 ? Access::Write : Access::Read,
          .address = Bytes{static_cast<std::int64_t>(rng.below(1 << 24)) * 32},
          .bytes = Bytes{bytes},
          .requester = static_cast<std::uint8_t>(rng.below(3)),
          .posted = rng.below(2) == 0};
}

TEST_CASE("HbmToldEnds: the n-th question follows the n-th end, told and real") {
  HbmToldEnds ends;
  ends.told(200);
  ends.told(100);
  CHECK_FALSE(ends.take(99).has_value());
  ends.ended(130);
  const auto first = ends.take(105);
  REQUIRE(first.has_value());
  CHECK(first->later == 5);
  CHECK(first->ended == 130);
  CHECK_FALSE(ends.take(199).has_value());
  const auto second = ends.take(200);
  REQUIRE(second.has_value());
  CHECK(second->later == 0);
  CHECK_FALSE(second->ended.has_value());  // still to come
  CHECK_FALSE(ends.take(1000).has_value());
}

/// Runs of three requesters, some of which follow ends.
void ask_at_random(HbmRunQueue& queue, RngStream& rng, HbmTick at, int count) {
  for (int i = 0; i < count; ++i) {
    const MemoryRun run = random_run(rng, 32, 16'384);
    if (i > 6 && rng.below(3) == 0)
      queue.ask_after_end(run, at, static_cast<HbmTick>(rng.below(50)));
    else
      queue.ask(run, at + static_cast<HbmTick>(rng.below(2000)));
  }
}

TEST_CASE("HbmRunQueue: settled in steps, or copied on the way, it does the same") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank, RefreshMode::PerBank}) {
    const HbmParams params = contended(refresh);
    const HbmRunBursts bursts{params};
    HbmRunQueue at_once{params, bursts};
    RngStream rng{3, "run queue"};
    ask_at_random(at_once, rng, 0, 40);
    HbmRunQueue in_steps{at_once};
    at_once.settle(20'000);
    for (HbmTick until = 0; until <= 20'000; until += 777) in_steps.settle(until);
    in_steps.settle(20'000);
    HbmRunQueue copy{in_steps};
    for (HbmRunQueue* queue : {&at_once, &in_steps, &copy}) queue->drain();
    REQUIRE(at_once.ends().size() > 20);
    for (HbmRunQueue* queue : {&in_steps, &copy}) {
      REQUIRE(queue->ends().size() == at_once.ends().size());
      for (std::size_t i = 0; i < at_once.ends().size(); ++i) {
        CHECK(queue->ends()[i].at == at_once.ends()[i].at);
        CHECK(queue->ends()[i].requester == at_once.ends()[i].requester);
      }
      CHECK(queue->controller().counts().issued == at_once.controller().counts().issued);
    }
  }
}

TEST_CASE("HbmContendedModel: a chunk alone takes activate, column latency and its bursts") {
  const HbmParams params = contended(RefreshMode::Off);
  const HbmTiming& t = params.timing;
  HbmContendedModel dut{params};
  const AccessTiming pair = dut.access({.bytes = 2 * params.burst}, 0_ps);
  // What an activate takes longer on its bus than a column command, up to a rising edge.
  const Picoseconds bus = div_up(params.activate_half_clocks - 2, 2) * t.t_ck;
  CHECK(pair.first_data == bus + t.t_rcd_rd + t.t_cl + t.t_burst);
  CHECK(pair.done == bus + t.t_rcd_rd + t.t_cl + t.t_ccd_l + t.t_burst);
}

TEST_CASE("HbmContendedModel: a posted write is done when the queue has taken it") {
  const HbmParams params = contended(RefreshMode::Off);
  HbmContendedModel dut{params};
  const Bytes queue = params.controller.write_queue * params.burst;
  CHECK(dut.access({.kind = Access::Write, .bytes = queue, .posted = true}, 5_ns).done <=
        5_ns + params.timing.t_ck);
  // The next one waits for the bursts of the first to go.
  const AccessTiming next =
      dut.access({.kind = Access::Write, .address = queue, .bytes = queue, .posted = true}, 5_ns);
  CHECK(next.done > 5_ns + params.timing.t_rcd_wr +
                        (params.controller.write_queue - 2) * params.timing.t_burst);
}

TEST_CASE("HbmContendedModel: long runs alone are HbmRunModel's") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank}) {
    HbmContendedModel dut{contended(refresh)};
    HbmRunModel reference{contended(refresh)};
    RngStream rng{5, "long runs"};
    Picoseconds at{};
    for (int i = 0; i < 300; ++i) {
      MemoryRun run = random_run(rng, kLong.count(), 4 * kLong.count());
      run.posted = false;
      const AccessTiming expected = reference.access(run, at);
      const AccessTiming found = dut.access(run, at);
      CHECK(found.first_data == expected.first_data);
      CHECK(found.done == expected.done);
      if (i % 3 == 0) at = expected.done;
    }
    CHECK(dut.stats().read_bursts == reference.stats().read_bursts);
    CHECK(dut.stats().written_bursts == reference.stats().written_bursts);
  }
}

TEST_CASE("HbmContendedModel: a page between two long runs waits for one and delays the other") {
  const HbmParams params = contended(RefreshMode::Off);
  const MemoryRun tile{.bytes = 1_MiB};
  const MemoryRun next{.address = 1_MiB, .bytes = 1_MiB};
  const MemoryRun page{.address = 256_MiB, .bytes = 4_KiB, .requester = 1};
  const Picoseconds bus = (4_KiB).count() / params.burst.count() * params.timing.t_burst;
  HbmContendedModel alone{params}, both{params};
  alone.access(tile, 0_ps);
  const Picoseconds first = both.access(tile, 0_ps).done;
  const AccessTiming between = both.access(page, 1_us);
  CHECK(between.first_data > first - params.timing.t_burst);
  CHECK(between.done >= first + bus);
  CHECK(between.done <= first + bus + params.timing.t_rc);
  const Picoseconds without = alone.access(next, 1_us).done;
  const Picoseconds with = both.access(next, 1_us).done;
  CHECK(with >= without + bus - params.timing.t_rcd_rd);
  CHECK(with <= without + bus + 2 * params.timing.t_rc);
}

TEST_CASE("HbmContendedModel: counts bursts as asked and rows as commands do") {
  const HbmParams params = contended(RefreshMode::AllBank);
  HbmContendedModel dut{params};
  Picoseconds at{};
  for (std::int64_t i = 0; i < 64; ++i)  // 16 MiB in sequence: tiles, and pages between them
    at = dut.access({.address = Bytes{i * (1 << 18)},
                     .bytes = i % 2 == 0 ? 256_KiB : 4_KiB,
                     .requester = static_cast<std::uint8_t>(i % 2)},
                    at)
             .done;
  const MemoryStats stats = dut.stats();
  const std::int64_t bytes = 32 * (256 + 4) * 1024;
  CHECK(stats.read == Bytes{bytes});
  CHECK(stats.read_bursts == bytes / params.burst.count());
  CHECK(stats.busy == stats.read_bursts * params.timing.t_burst);
  const std::int64_t rows = bytes / params.row.count();
  CHECK(stats.activates >= rows);
  const std::int64_t due = at.count() / params.timing.t_refi.count();
  CHECK(stats.activates <= rows + due * banks(params));
  CHECK(stats.refreshes >= due - 1);
  CHECK(stats.refreshes <= due + 1);
}

}  // namespace
}  // namespace reticle
