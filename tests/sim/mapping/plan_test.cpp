// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "sim/base/error.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// A fabric so slow that replicas, which need none, are faster than any cut.
PlatformSpec slow_fabric(std::int64_t dies) {
  PlatformSpec p = small_platform(dies);
  p.fabric.levels[0].link = {.rate = 1_GBps, .latency = 500_us, .buffer = 1_MiB};
  return p;
}

/// A fabric that costs next to nothing beside the weights.
PlatformSpec fast_fabric(std::int64_t dies) {
  PlatformSpec p = small_platform(dies);
  p.die.sram.capacity = 256_KiB;
  p.die.hbm->timing.t_burst = 100_ns;
  p.fabric.levels[0].link.latency = 1_ns;
  p.fabric.levels[0].router_latency = 1_ns;
  return p;
}

std::int64_t streams(const Placement& placement, const PlanTarget& target) {
  const std::int64_t pages = div_up(target.context + 1, target.page_tokens);
  return placement.kv.pages / pages * placement.plan.data;
}

constexpr Demand kDemand{.sequences = 1, .tokens = 1, .page_tokens = kPage, .max_tokens = 8};

}  // namespace

TEST_CASE("choose_placement: no other plan that holds the batch is estimated faster") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const std::int64_t batch : {1, 4, 32}) {
      CAPTURE(llm.name);
      CAPTURE(batch);
      const PlatformSpec p = small_platform(4, 2);
      std::optional<ExpertRouter> router;
      if (llm.moe) router.emplace(llm, kSeed);
      const ExpertRouter* r = router ? &*router : nullptr;
      const PlanTarget target{
          .batch = batch, .context = 512, .page_tokens = kPage, .max_tokens = 64};
      const Placement chosen = choose_placement(p, llm, {}, r, target);
      const Picoseconds best = estimate_decode_step(p, llm, chosen, r, target);
      CHECK(streams(chosen, target) >= batch);
      for (const ParallelPlan& plan : enumerate_plans(llm, dies(p))) {
        if (plan.data > batch) continue;
        CAPTURE(to_string(plan));
        const Placement other = place(p, llm, plan, {}, r, kPage, 64);
        CHECK(best <= estimate_decode_step(p, llm, other, r, target));
      }
    }
}

TEST_CASE("choose_placement: a plan that holds the batch comes before a faster one that does not") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = slow_fabric(4);
  p.die.sram.capacity = 256_KiB;
  // Replicas of all weights leave room for few pages; cut weights leave room for all.
  p.die.hbm->capacity_per_stack = Bytes{weight_bytes(llm).count() + 1'500'000};
  const PlanTarget target{.batch = 4, .context = 1024, .page_tokens = kPage, .max_tokens = 8};
  const Placement replicas = place(p, llm, {1, 4, 1, 1, 4}, {}, nullptr, kPage, 8);
  const Placement cut = place(p, llm, {1, 1, 4, 1, 4}, {}, nullptr, kPage, 8);
  REQUIRE(streams(replicas, target) < target.batch);
  REQUIRE(streams(cut, target) >= target.batch);
  REQUIRE(estimate_decode_step(p, llm, replicas, nullptr, target) <
          estimate_decode_step(p, llm, cut, nullptr, target));
  CHECK(streams(choose_placement(p, llm, {}, nullptr, target), target) >= target.batch);
}

TEST_CASE("choose_placement: replicas hold whole streams, not shares of them") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = slow_fabric(4);
  p.die.sram.capacity = 256_KiB;
  const PlanTarget target{.batch = 6, .context = 1023, .page_tokens = kPage, .max_tokens = 8};
  const std::int64_t stream = 1024 * kv_bytes_per_token(llm).count();
  // One and three quarters of a stream in each of four replicas: seven in sum, four in truth.
  const Placement roomy = place(p, llm, {1, 4, 1, 1, 4}, {}, nullptr, kPage, 8);
  const std::int64_t fixed = (roomy.weights[1] + roomy.reserved[1]).count() / 4;
  p.die.hbm->capacity_per_stack = Bytes{fixed + stream * 175 / 95};
  const Placement replicas = place(p, llm, {1, 4, 1, 1, 4}, {}, nullptr, kPage, 8);
  REQUIRE(replicas.kv.pages * 4 >= target.batch * 1024 / kPage);
  REQUIRE(streams(replicas, target) == 4);
  const Placement cut = place(p, llm, {1, 1, 4, 1, 4}, {}, nullptr, kPage, 8);
  REQUIRE(streams(cut, target) >= target.batch);
  CHECK(streams(choose_placement(p, llm, {}, nullptr, target), target) >= target.batch);
}

TEST_CASE("choose_placement: where no plan holds the batch the fastest that places is taken") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = fast_fabric(4);
  p.die.hbm->capacity_per_stack = 2 * weight_bytes(llm);
  const PlanTarget target{.batch = 4, .context = 16384, .page_tokens = kPage, .max_tokens = 8};
  const Placement chosen = choose_placement(p, llm, {}, nullptr, target);
  for (const ParallelPlan& plan : enumerate_plans(llm, 4)) {
    CAPTURE(to_string(plan));
    const Placement other = place(p, llm, plan, {}, nullptr, kPage, 8);
    REQUIRE(streams(other, target) < target.batch);
    CHECK(estimate_decode_step(p, llm, chosen, nullptr, target) <=
          estimate_decode_step(p, llm, other, nullptr, target));
  }
  CHECK(!(chosen.plan == enumerate_plans(llm, 4).front()));
}

TEST_CASE("choose_placement: a slow fabric makes replicas and a fast one makes cuts") {
  const LlmSpec llm = small_dense();
  const PlanTarget target{.batch = 4, .context = 64, .page_tokens = kPage, .max_tokens = 8};
  CHECK(choose_placement(slow_fabric(4), llm, {}, nullptr, target).plan.data == 4);
  CHECK(choose_placement(fast_fabric(4), llm, {}, nullptr, target).plan.tensor == 4);
}

TEST_CASE("choose_placement: what the policy fixes is kept") {
  const LlmSpec llm = small_moe();
  const ExpertRouter router{llm, kSeed};
  const PlatformSpec p = small_platform(8);
  const PlanTarget target{.batch = 8, .context = 64, .page_tokens = kPage, .max_tokens = 8};
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
    CAPTURE(to_string(plan));
    PlacementPolicy policy;
    policy.pipeline_parallel = plan.pipeline;
    policy.tensor_parallel = plan.tensor;
    policy.expert_parallel = plan.expert;
    CHECK(choose_placement(p, llm, policy, &router, target).plan == plan);
  }
}

TEST_CASE("choose_placement: a cut the dies do not allow is bad input") {
  PlacementPolicy policy;
  policy.tensor_parallel = 3;
  const PlanTarget target{.batch = 1, .context = 64, .page_tokens = kPage, .max_tokens = 8};
  CHECK_THROWS_AS(choose_placement(small_platform(8), small_dense(), policy, nullptr, target),
                  ConfigError);
}

TEST_CASE("choose_placement: what does not fit names bytes and tier and the deployment that fits") {
  PlatformSpec p = small_platform(2);
  p.die.sram.capacity = 256_KiB;
  p.die.hbm->capacity_per_stack = Bytes{3'000'000};
  const PlanTarget target{.batch = 1, .context = 64, .page_tokens = kPage, .max_tokens = 8};
  std::string text;
  try {
    (void)choose_placement(p, small_dense(), {}, nullptr, target);
  } catch (const InfeasibleError& error) {
    text = error.what();
  }
  const auto nodes = smallest_nodes(p, small_dense(), {}, nullptr, kDemand);
  REQUIRE(nodes.has_value());
  CAPTURE(text);
  CHECK(text.find("GB of weights do not fit in hbm") != std::string::npos);
  CHECK(text.find("--set platform.nodes=" + std::to_string(*nodes)) != std::string::npos);
  p.nodes = *nodes;
  CHECK_NOTHROW(choose_placement(p, small_dense(), {}, nullptr, target));
}

TEST_CASE("estimate_decode_step: never below the bytes of a step over all bandwidth") {
  const LlmSpec llm = small_dense();
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
    Bench bench{small_platform(8), llm, plan};
    const PlanTarget target{.batch = 8, .context = 2048, .page_tokens = kPage, .max_tokens = 8};
    const Picoseconds estimate =
        estimate_decode_step(bench.platform, llm, bench.placement, nullptr, target);
    const StepPrograms step = bench.lower(decode(8, 2048, plan.data));
    CAPTURE(to_string(plan));
    // The head is not in the estimate, so compare what both count: the KV bytes.
    StepTotals totals;
    totals.kv = totals_of(step).kv;
    CHECK(estimate >= roofline(bench.platform, totals).duration);
  }
}

TEST_CASE("choose_plan: says of every plan why it was taken or left") {
  const LlmSpec llm = small_dense();
  const PlatformSpec p = small_platform(4, 2);
  const PlanTarget target{.batch = 4, .context = 512, .page_tokens = kPage, .max_tokens = 64};
  const PlanChoice choice = choose_plan(p, llm, {}, nullptr, target);
  REQUIRE(!choice.options.empty());
  CHECK(choice.options.front().plan == choice.placement.plan);
  CHECK(choice.options.front().verdict == PlanVerdict::Chosen);
  for (std::size_t i = 1; i < choice.options.size(); ++i) {
    const PlanOption& option = choice.options[i];
    CHECK(option.verdict != PlanVerdict::Chosen);
    if (option.verdict == PlanVerdict::Slower) CHECK(*option.step >= *choice.options[i - 1].step);
    CHECK((option.verdict == PlanVerdict::NoRoom) == !option.problem.empty());
  }
  const auto all = enumerate_plans(llm, dies(p));
  CHECK(std::ranges::count_if(all, [&](const ParallelPlan& plan) {
          return plan.data <= target.batch;
        }) == std::ssize(choice.options));
}

TEST_CASE("choose_plan: a plan without room says what does not fit") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = slow_fabric(4);
  p.die.sram.capacity = 256_KiB;
  p.die.hbm->capacity_per_stack = Bytes{weight_bytes(llm).count() / 2 + 1'500'000};
  const PlanTarget target{.batch = 4, .context = 64, .page_tokens = kPage, .max_tokens = 8};
  const PlanChoice choice = choose_plan(p, llm, {}, nullptr, target);
  const auto whole =
      std::ranges::find(choice.options, 4, [](const PlanOption& o) { return o.plan.data; });
  REQUIRE(whole != choice.options.end());
  CHECK(whole->verdict == PlanVerdict::NoRoom);
  CHECK(whole->problem.find("do not fit") != std::string::npos);
}
