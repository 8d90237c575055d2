// SPDX-License-Identifier: Apache-2.0
// One step on the silicon model: what the programs ask for is what the modules count.
#include <doctest/doctest.h>

#include "models/kernel/time.hpp"
#include "sim/engine/silicon_executor.hpp"
#include "tests/models/sim_fixture.hpp"
#include "tests/models/test_params.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// The small platform with whole HBM timings, so that it can run.
PlatformSpec runnable(std::int64_t per_package, std::int64_t packages) {
  PlatformSpec p = small_platform(per_package, packages);
  p.die.hbm = hbm3(RefreshMode::AllBank);
  return p;
}

StepLoad some_load(std::int64_t replicas) {
  StepLoad load = decode(2 * replicas, 700, replicas);
  load.sequences.push_back({.request = RequestId{99}, .context = 16, .new_tokens = 40});
  return load;
}

/// Bytes x links of all messages, level by level.
std::vector<std::int64_t> crossed(const StepPrograms& step, const Topology& topology) {
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(topology.levels()));
  for (const auto& exchange : step.exchanges)
    for (const auto& phase : exchange->phases)
      for (const Message& m : phase)
        for (const LinkId link :
             topology.path(exchange->participants[static_cast<std::size_t>(m.source)],
                           exchange->participants[static_cast<std::size_t>(m.target)]))
          bytes[static_cast<std::size_t>(topology.links()[index(link)].level)] += m.bytes.count();
  return bytes;
}

void check_step(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t packages,
                bool prefetch) {
  const std::int64_t n = plan.stage_dies() * plan.pipeline;
  PlatformSpec p = runnable(n / packages, packages);
  p.die.sequencer.static_prefetch = prefetch;
  p.die.sequencer.launch_gap = prefetch ? Picoseconds{0} : 1_us;
  p.die.sequencer.step_overhead = 3_us;
  Bench bench{p, llm, plan};
  const StepLoad load = some_load(plan.data);
  const StepPrograms step = bench.lower(load);
  const StepTotals asked = totals_of(step);

  Lowering lowering{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  Deployment deployment{"deployment", bench.platform};
  SiliconExecutor executor{lowering,
                           deployment,
                           bench.platform,
                           bench.placement,
                           {.step = bench.platform.die.sequencer.step_overhead}};
  std::vector<StepOutcome> outcomes;
  Picoseconds ended{};
  run_in_thread([&] {
    for (int i = 0; i < 2; ++i) outcomes.push_back(executor.execute(load));
    ended = now();
  });
  REQUIRE(outcomes.size() == 2);
  CHECK(ended == outcomes[0].duration + outcomes[1].duration);

  std::int64_t messages = 0;
  for (const auto& exchange : step.exchanges)
    for (const auto& phase : exchange->phases)
      for (const Message& m : phase) messages += m.bytes.count();
  CHECK(deployment.fabric().sent().count() == 2 * messages);
  CHECK(deployment.fabric().sent() == deployment.fabric().received());

  for (const StepOutcome& outcome : outcomes) {  // counts are of the step, not since the beginning
    const EventCounts& counts = outcome.counts;
    CHECK(sum(outcome.breakdown) == outcome.duration.count());
    for (const Picoseconds part : outcome.breakdown) CHECK(part >= Picoseconds{0});
    CHECK(outcome.breakdown[static_cast<std::size_t>(TimeCategory::Launch)] >= 3_us);
    CHECK(outcome.roofline.duration <= outcome.duration);
    const StepTotals counted = totals_of(counts, bench.placement.kv);
    CHECK(counted.weights == asked.weights);
    CHECK(counted.kv == asked.kv);
    CHECK(counted.macs == asked.macs);
    CHECK(counted.vector_ops == asked.vector_ops);
    for (std::size_t t = 0; t < kTierCount; ++t)
      CHECK(counts.read[t] == asked.weights[t] + asked.kv[t]);
    std::int64_t stored = 0, staged = 0;
    each_instruction(step, [&](auto, auto, const Instruction& in) {
      if (in.code == OpCode::Store) stored += in.amount;
      if (in.staged) staged += in.amount;
    });
    CHECK(sum(counts.written) == stored);
    CHECK(counts.staged.count() == staged);
    const auto expected = crossed(step, deployment.fabric().topology());
    REQUIRE(counts.link_bytes.size() == expected.size());
    for (std::size_t l = 0; l < expected.size(); ++l)
      CHECK(counts.link_bytes[l].count() == expected[l]);
  }
}

}  // namespace

TEST_CASE("step: one die counts what its program asks for") {
  check_step(small_dense(), {}, 1, true);
}
TEST_CASE("step: tensor cuts across packages count every link crossed") {
  check_step(small_dense(), {1, 1, 8, 1, 8}, 2, true);
}
TEST_CASE("step: kernels one after another count the same") {
  check_step(small_dense(), {1, 1, 8, 1, 8}, 2, false);
}
TEST_CASE("step: stages count what their programs ask for") {
  check_step(small_moe(), {4, 1, 2, 2, 1}, 2, true);
}
TEST_CASE("step: replicas with experts dealt out count what their programs ask for") {
  check_step(small_moe(), {1, 4, 2, 4, 2}, 2, true);
}
TEST_CASE("step: replicas in stages with kernels one after another come to an end") {
  check_step(small_moe(), {2, 2, 2, 2, 2}, 2, false);
}

namespace {
/// Steps of four decodes, one after another, which move as much between tiers over a link of
/// `rate`, and a quarter of it to the flash; the devices behind them are faster.
std::vector<StepOutcome> moving(BytesPerSecond rate,
                                const std::vector<std::vector<KvMove>>& moves) {
  PlatformSpec p = runnable(1, 1);
  p.die.far = far_memory();
  p.die.far->link.rate = rate;
  p.die.far->device.channels = 64;
  p.die.flash = p.die.far;
  p.die.flash->link.rate = BytesPerSecond{rate.count() / 4};
  Bench bench{p, small_dense(), {}};
  Lowering lowering{bench.platform, bench.llm, bench.placement, nullptr};
  Deployment deployment{"deployment", bench.platform};
  SiliconExecutor executor{lowering,
                           deployment,
                           bench.platform,
                           bench.placement,
                           {.step = bench.platform.die.sequencer.step_overhead}};
  std::vector<StepOutcome> outcomes;
  run_in_thread([&] {
    for (const auto& each : moves) {
      StepLoad load = decode(4, 700);
      load.moves = each;
      outcomes.push_back(executor.execute(load));
    }
  });
  return outcomes;
}
constexpr auto kHbmTier = static_cast<std::size_t>(Tier::Hbm);
constexpr auto kFarTier = static_cast<std::size_t>(Tier::Far);
constexpr auto kMoves = static_cast<std::size_t>(TimeCategory::KvMove);
}  // namespace

TEST_CASE("moves: a byte that moves is read once where it was and written once where it goes") {
  const Bytes moved{3'000'000};
  const auto steps = moving(
      10_GBps,
      {{}, {{0, KvPlace::Home, KvPlace::Far, moved}}, {{0, KvPlace::Far, KvPlace::Home, moved}}});
  REQUIRE(steps.size() == 3);
  const EventCounts &none = steps[0].counts, &out = steps[1].counts, &back = steps[2].counts;
  CHECK(out.read[kHbmTier] - none.read[kHbmTier] == moved);
  CHECK(out.written[kFarTier] == moved);
  CHECK(out.read[kFarTier] == Bytes{0});
  CHECK(out.written[kHbmTier] == none.written[kHbmTier]);
  CHECK(back.read[kFarTier] == moved);
  CHECK(back.written[kHbmTier] - none.written[kHbmTier] == moved);
  CHECK(back.written[kFarTier] == Bytes{0});
  CHECK(back.read[kHbmTier] == none.read[kHbmTier]);
  for (const EventCounts* counts : {&out, &back}) CHECK(counts->loaded[kMoves] == moved);
}
TEST_CASE("moves: a slow link holds the step for as long as it takes, and is to blame") {
  const Bytes moved{10'000'000};
  const auto steps = moving(
      1_GBps,
      {{}, {{0, KvPlace::Home, KvPlace::Far, moved}}, {{0, KvPlace::Far, KvPlace::Home, moved}}});
  REQUIRE(steps.size() == 3);
  for (const std::size_t i : {1, 2}) {
    CHECK(steps[i].duration >= 10_ms);  // 10 MB at 1 GB/s, and headers
    CHECK(steps[i].duration <= 13_ms);
    CHECK(steps[i].breakdown[kMoves] >= steps[i].duration - 2 * steps[0].duration);
  }
}
TEST_CASE("moves: over a fast link they cost a step no more than their own way") {
  const Bytes moved{100'000};
  const auto steps = moving(
      1000 * 1_GBps,
      {{}, {{0, KvPlace::Home, KvPlace::Far, moved}}, {{0, KvPlace::Far, KvPlace::Home, moved}}});
  REQUIRE(steps.size() == 3);
  for (const std::size_t i : {1, 2}) {
    CHECK(steps[i].duration >= steps[0].duration);
    // At half the 512 GB/s of the memory, and the latencies of link and device.
    CHECK(steps[i].duration <= steps[0].duration + transfer_time(moved, 256_GBps) + 2_us);
  }
}
TEST_CASE(
    "moves: far tier and flash have links of their own, and a byte takes both from one to the "
    "other") {
  const Bytes far{10'000'000}, flash{2'500'000};
  const auto steps = moving(
      1_GBps, {{},
               {{0, KvPlace::Flash, KvPlace::Home, flash}},
               {{0, KvPlace::Home, KvPlace::Flash, flash}},
               {{0, KvPlace::Far, KvPlace::Home, far}, {0, KvPlace::Flash, KvPlace::Home, flash}},
               {{0, KvPlace::Far, KvPlace::Flash, flash}}});
  REQUIRE(steps.size() == 5);
  // 10 ms on either link, and headers; side by side where both are at work.
  for (const std::size_t i : {1, 2, 3}) {
    CHECK(steps[i].duration >= 10_ms);
    CHECK(steps[i].duration <= 13_ms);
  }
  // 2.5 ms on the one, then 10 ms on the other.
  CHECK(steps[4].duration >= 12_ms + 500_us);
  CHECK(steps[4].duration <= 16_ms);
  constexpr auto kFlashTier = static_cast<std::size_t>(Tier::Flash);
  CHECK(steps[4].counts.read[kFarTier] == flash);
  CHECK(steps[4].counts.written[kFlashTier] == flash);
  CHECK(steps[4].counts.read[kHbmTier] == steps[0].counts.read[kHbmTier]);
  CHECK(steps[4].counts.written[kHbmTier] == steps[0].counts.written[kHbmTier]);
  for (const StepOutcome& step : steps) CHECK(step.roofline.duration <= step.duration);
}
