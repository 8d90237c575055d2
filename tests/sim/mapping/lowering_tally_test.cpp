// SPDX-License-Identifier: Apache-2.0
// What a step is tallied to is what its programs add up to, whatever the model, plan and step.
#include <doctest/doctest.h>

#include "sim/base/rng.hpp"
#include "sim/mapping/lowering.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

PlatformSpec tiered(std::int64_t dies) {
  PlatformSpec p = small_platform(dies);
  p.die.far = p.die.flash = LinkedMemoryParams{.capacity = 1_GB, .device = {}, .link = {}};
  return p;
}

/// Prompts and decodes of many lengths; drafts, keys and values in SRAM, moves between tiers.
StepLoad random_load(RngStream& rng, std::int64_t replicas) {
  StepLoad load;
  const bool decodes_alone = rng.below(2) == 0;
  for (std::uint64_t i = 0, n = 1 + rng.below(9); i < n; ++i) {
    SequenceWork s{.request = RequestId{i}, .context = static_cast<std::int64_t>(rng.below(300))};
    s.replica = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(replicas)));
    if (!decodes_alone && rng.below(3) == 0) {
      s.new_tokens = 1 + static_cast<std::int64_t>(rng.below(200));
      s.outputs = static_cast<std::int64_t>(rng.below(2));
    } else if (!decodes_alone && rng.below(3) == 0) {
      s.drafts = 2;
      s.new_tokens = s.outputs = 3;
    }
    if (rng.below(4) == 0) s.near = s.context / 2;
    load.sequences.push_back(s);
  }
  if (rng.below(4) == 0)
    load.moves = {{0, KvPlace::Home, KvPlace::Far, Bytes{1'000'003}},
                  {0, KvPlace::Flash, KvPlace::Home, Bytes{77'777}}};
  return load;
}

/// Steps one behind the other, so that what one leaves to the next counts too.
void check_tallies(const LlmSpec& llm, const PlacementPolicy& policy, const PlatformSpec& platform,
                   const ParallelPlan& plan) {
  CAPTURE(llm.name);
  CAPTURE(to_string(plan));
  Bench bench{platform, llm, plan, policy};
  Lowering written{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  Lowering tallied{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  RngStream rng{1, "tally"};
  for (int step = 0; step < 12; ++step) {
    CAPTURE(step);
    const StepLoad load = random_load(rng, plan.data);
    StepPrograms programs;
    written.lower(load, programs);
    const StepTally tally = tallied.tally(load);
    CHECK(tally.totals == totals_of(programs));
    CHECK(tally.picks == programs.picks);
    CHECK(tally.dropped_picks == programs.dropped_picks);
    CHECK(tally.experts.hits == programs.experts.hits);
    CHECK(tally.experts.misses == programs.experts.misses);
    CHECK(tally.experts.filled == programs.experts.filled);
    CHECK(tally.experts.came_true == programs.experts.came_true);
  }
}

}  // namespace

TEST_CASE("tally: it is the sum of the programs, for every mixer, under every plan") {
  for (const LlmSpec& llm : every_mixer())
    for (const ParallelPlan& plan : enumerate_plans(llm, 8))
      for (const double sram : {0.0, 0.3})
        check_tallies(llm, {.sram_fraction = sram, .kv_sram_share = 0.5}, tiered(8), plan);
}

TEST_CASE("tally: it is the sum of the programs, for routed experts too, in SRAM or not") {
  for (const ParallelPlan& plan : enumerate_plans(small_moe(), 8))
    for (const ExpertCachePolicy cache : {ExpertCachePolicy::Static, ExpertCachePolicy::Lru}) {
      PlacementPolicy policy{.sram_fraction = 0.5, .expert_cache = cache};
      if (cache != ExpertCachePolicy::Static)
        policy.expert_prefetch = ExpertPrefetch::PreviousLayer;
      check_tallies(small_moe(), policy, tiered(8), plan);
    }
}

TEST_CASE("tally: kernels' operands and formats of two bits are in it") {
  LlmSpec llm = small_dense();
  llm.weights = llm.embedding = llm.activations = Precision::Fp8;
  llm.kv = Precision::Int2;
  PlatformSpec platform = tiered(8);
  platform.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Int2)] = 0;
  platform.die.sequencer.static_prefetch = false;
  platform.die.kernels.emplace();
  platform.die.kernels->operand_passes = platform.die.kernels->cache_passes = 150;
  platform.die.kernels->prefill_passes = 100;
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) check_tallies(llm, {}, platform, plan);
}

TEST_CASE("tally: adapters are in it") {
  LlmSpec llm = small_dense();
  PlacementPolicy policy;
  policy.adapters = AdapterSpec{.adapters = 4, .slots = 4};
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
    CAPTURE(to_string(plan));
    Bench bench{tiered(8), llm, plan, policy};
    StepLoad load = decode(8, 100, plan.data);
    for (std::size_t i = 0; i < load.sequences.size(); i += 2)
      load.sequences[i].adapter = static_cast<std::uint32_t>(i % 4);
    load.adapters_in = {3};
    Lowering lowering{bench.platform, bench.llm, bench.placement, nullptr};
    CHECK(lowering.tally(load).totals == totals_of(bench.lower(load)));
  }
}
