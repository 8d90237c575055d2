// SPDX-License-Identifier: Apache-2.0
// Routed experts whose place in SRAM follows from use: against plain simulations of the same picks.
#include "sim/mapping/expert_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <map>
#include <set>

#include "sim/mapping/expert_predictor.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kSteps = 40;
constexpr std::int64_t kBatch = 2;
constexpr auto kBothPolicies = {ExpertCachePolicy::Lru, ExpertCachePolicy::Lfu};

LlmSpec routed(double sigma = 0.6) {
  LlmSpec llm = small_moe();
  llm.moe->routing.popularity_sigma = sigma;
  return llm;
}

/// Room for all experts of the model in SRAM.
PlatformSpec roomy(std::int64_t dies) {
  PlatformSpec p = small_platform(dies);
  p.die.sram.capacity = 32 * 1_MiB;
  return p;
}

/// SRAM for routed experts alone, so that `fraction` of the active bytes is a fraction of them.
PlacementPolicy caching(ExpertCachePolicy policy, double fraction,
                        ExpertPrefetch prefetch = ExpertPrefetch::None) {
  PlacementPolicy p;
  p.sram_fraction = fraction;
  p.sram_expert_share = 1;
  p.expert_cache = policy;
  p.expert_prefetch = prefetch;
  return p;
}

StepLoad step(std::int64_t number, std::int64_t batch = kBatch) {
  return decode(batch, 100 + number);
}

ExpertTraffic run(const Bench& bench, std::int64_t steps, std::int64_t batch = kBatch) {
  Lowering lowering{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  StepPrograms out;
  ExpertTraffic sum;
  for (std::int64_t s = 0; s < steps; ++s) {
    lowering.lower(step(s, batch), out);
    sum += out.experts;
  }
  return sum;
}

std::set<std::int32_t> picked(const Bench& bench, const StepLoad& load, std::int64_t layer) {
  std::set<std::int32_t> experts;
  std::vector<std::int32_t> picks(static_cast<std::size_t>(bench.llm.moe->top_k));
  for (const SequenceWork& s : load.sequences) {
    bench.router->route(s.request, s.context, layer, picks);
    experts.insert(picks.begin(), picks.end());
  }
  return experts;
}

std::vector<std::int32_t> hottest_first(const Bench& bench, std::int64_t layer) {
  const auto popularity = bench.router->popularity(layer);
  std::vector<std::int32_t> order(popularity.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto a, auto b) {
    return popularity[static_cast<std::size_t>(a)] > popularity[static_cast<std::size_t>(b)];
  });
  return order;
}

/// A list of all experts by their last use: those in the first `room` places are there.
std::int64_t plain_lru_hits(const Bench& bench, std::int64_t layer, std::size_t room) {
  const auto order = hottest_first(bench, layer);
  std::list<std::int32_t> recent(order.begin(), order.end());
  std::int64_t hits = 0;
  for (std::int64_t s = 0; s < kSteps; ++s) {
    const auto needed = picked(bench, step(s), layer);
    const auto end = std::next(recent.begin(), static_cast<std::ptrdiff_t>(room));
    hits += std::count_if(recent.begin(), end, [&](auto e) { return needed.contains(e); });
    for (const std::int32_t e : needed) {
      recent.remove(e);
      recent.push_front(e);
    }
  }
  return hits;
}

/// The `room` experts with the most uses are there, among equals those used last.
std::int64_t plain_lfu_hits(const Bench& bench, std::int64_t layer, std::size_t room) {
  auto order = hottest_first(bench, layer);
  std::map<std::int32_t, std::int64_t> uses;
  std::int64_t hits = 0;
  for (std::int64_t s = 0; s < kSteps; ++s) {
    const auto needed = picked(bench, step(s), layer);
    for (std::size_t i = 0; i < room; ++i) hits += needed.contains(order[i]);
    for (const std::int32_t e : needed) {
      ++uses[e];
      std::erase(order, e);
      order.insert(order.begin(), e);
    }
    std::ranges::stable_sort(order, [&](auto a, auto b) { return uses[a] > uses[b]; });
  }
  return hits;
}

std::int64_t room_of(const Bench& bench, std::int64_t layer) {
  return std::ssize(bench.placement.cached[static_cast<std::size_t>(layer)].front());
}

std::int64_t loaded(const StepPrograms& step, Tier tier) {
  std::int64_t bytes = 0;
  each_instruction(step, [&](auto, auto, const Instruction& in) {
    if (in.code == OpCode::Load && in.category != TimeCategory::Kv && in.tier == tier)
      bytes += in.amount;
  });
  return bytes;
}

}  // namespace

TEST_CASE("expert cache: hits are those of a plain simulation of the same picks") {
  for (const double fraction : {0.1, 0.3, 0.6})
    for (const ExpertCachePolicy policy : kBothPolicies) {
      CAPTURE(fraction);
      const Bench bench{roomy(1), routed(), {}, caching(policy, fraction)};
      std::int64_t expected = 0, needed = 0;
      for (const std::int64_t layer : bench.router->moe_layers()) {
        const auto room = static_cast<std::size_t>(room_of(bench, layer));
        CHECK(room > 0);
        expected += policy == ExpertCachePolicy::Lru ? plain_lru_hits(bench, layer, room)
                                                     : plain_lfu_hits(bench, layer, room);
        for (std::int64_t s = 0; s < kSteps; ++s)
          needed += std::ssize(picked(bench, step(s), layer));
      }
      const ExpertTraffic traffic = run(bench, kSteps);
      CHECK(traffic.hits == expected);
      CHECK(traffic.hits + traffic.misses == needed);
    }
}

TEST_CASE("expert cache: the staging buffer of what is kept is free when SRAM has it") {
  const Bench bench{roomy(1), routed(), {}, caching(ExpertCachePolicy::Lru, 0.3)};
  Lowering lowering{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  std::int64_t fills = 0, emptied = 0;
  for (std::int64_t s = 0; s < kSteps; ++s) {
    StepPrograms out;  // of no capacity: its code moves while it is written
    lowering.lower(step(s), out);
    for (const Program& program : out.dies)
      for (const Instruction& in : program.code) {
        fills += in.code == OpCode::Store && in.category == TimeCategory::WeightsSram;
        emptied += in.code == OpCode::Load && in.consumer != kNoInstruction &&
                   program.code[static_cast<std::size_t>(in.consumer)].code == OpCode::Store;
      }
  }
  CHECK(fills > 0);
  CHECK(emptied == fills);
}

TEST_CASE("expert cache: more room never has fewer hits") {
  for (const ExpertCachePolicy policy : kBothPolicies) {
    std::int64_t before = -1;
    for (const double fraction : {0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}) {
      const Bench bench{roomy(1), routed(), {}, caching(policy, fraction)};
      const std::int64_t hits = run(bench, kSteps).hits;
      CHECK(hits >= before);
      before = hits;
    }
    CHECK(before > 0);
  }
}

TEST_CASE("expert cache: room for all experts misses none and writes nothing") {
  for (const ExpertCachePolicy policy : kBothPolicies) {
    PlacementPolicy all = caching(policy, 1);
    all.sram_fraction.reset();
    const Bench bench{roomy(1), routed(), {}, all};
    for (const std::int64_t layer : bench.router->moe_layers())
      REQUIRE(room_of(bench, layer) == bench.llm.moe->experts);
    const ExpertTraffic traffic = run(bench, kSteps);
    CHECK(traffic.misses == 0);
    CHECK(traffic.filled == Bytes{0});
  }
}

TEST_CASE("expert cache: without popularity LRU hits as often as experts are there") {
  const Bench bench{roomy(1), routed(0), {}, caching(ExpertCachePolicy::Lru, 0.3)};
  std::int64_t room = 0;
  for (const std::int64_t layer : bench.router->moe_layers()) room += room_of(bench, layer);
  const double held =
      static_cast<double>(room) /
      static_cast<double>(bench.llm.moe->experts * bench.llm.layers_with(FfnKind::Moe));
  const ExpertTraffic traffic = run(bench, 400, 1);
  const auto uses = static_cast<double>(traffic.hits + traffic.misses);
  // Four standard deviations of as many coins.
  CHECK(std::abs(static_cast<double>(traffic.hits) / uses - held) <
        4 * std::sqrt(held * (1 - held) / uses));
}

TEST_CASE("expert cache: what is loaded from SRAM and from below is what was loaded without it") {
  const Bench fixed{
      small_platform(2), routed(), {1, 1, 2, 2, 1}, caching(ExpertCachePolicy::Static, 0.3)};
  for (const ExpertCachePolicy policy : kBothPolicies) {
    const Bench bench{roomy(2), routed(), {1, 1, 2, 2, 1}, caching(policy, 0.3)};
    Lowering with{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
    Lowering without{fixed.platform, fixed.llm, fixed.placement, fixed.router_or_null()};
    StepPrograms a, b;
    for (std::int64_t s = 0; s < 5; ++s) {
      with.lower(step(s), a);
      without.lower(step(s), b);
      CHECK(loaded(a, Tier::Sram) + loaded(a, Tier::Hbm) ==
            loaded(b, Tier::Sram) + loaded(b, Tier::Hbm));
      CHECK(a.experts.hit_bytes + a.experts.missed_bytes ==
            b.experts.hit_bytes + b.experts.missed_bytes);
      CHECK(loaded(a, Tier::Sram) == a.experts.hit_bytes.count());
      CHECK(loaded(b, Tier::Sram) == b.experts.hit_bytes.count());
      std::int64_t stored = 0;
      each_instruction(a, [&](auto, auto, const Instruction& in) {
        if (in.code == OpCode::Store && in.category != TimeCategory::Kv) stored += in.amount;
      });
      CHECK(stored == a.experts.filled.count());
    }
  }
}

TEST_CASE("expert cache: a step that is passed over leaves what a lowered one leaves") {
  for (const ParallelPlan& plan :
       {ParallelPlan{}, ParallelPlan{2, 1, 2, 2, 1}, ParallelPlan{1, 2, 1, 2, 1}}) {
    CAPTURE(to_string(plan));
    const Bench bench{roomy(plan.stage_dies() * plan.pipeline), routed(), plan,
                      caching(ExpertCachePolicy::Lru, 0.3, ExpertPrefetch::PreviousLayer)};
    Lowering all{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
    Lowering some{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
    StepPrograms a, b;
    for (std::int64_t s = 0; s < 12; ++s) {
      const StepLoad load = decode(3, 100 + s, plan.data);
      all.lower(load, a);
      if (s % 3 != 0)
        b.experts = some.pass(load);
      else
        some.lower(load, b);
      CHECK(a.experts.hits == b.experts.hits);
      CHECK(a.experts.misses == b.experts.misses);
      CHECK(a.experts.filled == b.experts.filled);
      CHECK(a.experts.came_true == b.experts.came_true);
    }
  }
}

TEST_CASE("expert prefetch: what comes true is in SRAM, behind the store that brought it") {
  const Bench bench{roomy(1),
                    routed(1.5),
                    {},
                    caching(ExpertCachePolicy::Lru, 0.2, ExpertPrefetch::PreviousLayer)};
  Lowering lowering{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  StepPrograms out;
  ExpertTraffic sum;
  std::int64_t awaited = 0;
  for (std::int64_t s = 0; s < kSteps; ++s) {
    lowering.lower(step(s), out);
    sum += out.experts;
    const std::int64_t expert =
        bytes_of(3 * bench.llm.hidden * bench.llm.moe->expert_ffn, bench.llm.weights).count();
    CHECK(out.experts.missed_bytes.count() == out.experts.misses * expert);
    each_instruction(out, [&](std::size_t d, auto, const Instruction& in) {
      if (in.code != OpCode::Load || in.after[2].on() == kNoInstruction) return;
      ++awaited;
      const Instruction& before = out.dies[d].code[static_cast<std::size_t>(in.after[2].on())];
      CHECK(in.tier == Tier::Sram);
      CHECK(before.code == OpCode::Store);
      CHECK(before.layer == in.layer - 1);
    });
  }
  CHECK(awaited > 0);
  CHECK(sum.came_true <= sum.predicted);
  CHECK(sum.came_true <= sum.foreseeable);
  CHECK(sum.prefetched > 0);
  // Popular experts follow popular ones: chance would be kBatch * top_k of the experts at most.
  CHECK(2 * sum.came_true > sum.predicted);
}

TEST_CASE("expert predictor: foresees the successor it has seen most often, and nothing unseen") {
  ExpertPredictor predictor{2, 4, 1};
  const auto learn = [&](std::uint16_t here, std::uint16_t next) {
    predictor.learn(0, std::span{&here, 1}, std::span{&next, 1});
  };
  const auto after = [&](std::int32_t expert) { return predictor.after(0, std::span{&expert, 1}); };
  CHECK(after(1).empty());
  learn(1, 2);
  learn(1, 3);
  CHECK(after(1) == std::vector<std::int32_t>{2});
  learn(1, 3);
  CHECK(after(1) == std::vector<std::int32_t>{3});
  CHECK(after(3).empty());
}
