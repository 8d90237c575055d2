// SPDX-License-Identifier: Apache-2.0
// Which dies have which experts: even in number, as even in load as is asked.
#include "sim/mapping/expert_groups.hpp"

#include <doctest/doctest.h>

#include <map>

#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// Token-expert pairs of each die, over all layers.
std::vector<std::int64_t> pairs_by_die(const Bench& bench, const StepPrograms& step) {
  std::vector<std::int64_t> pairs(step.dies.size());
  each_instruction(step, [&](std::size_t die, auto, const Instruction& in) {
    if (in.code == OpCode::Vector && in.vector_op == VectorOp::Combine)
      pairs[die] += in.amount / bench.llm.hidden;
  });
  return pairs;
}

LlmSpec skewed() {
  LlmSpec llm = small_moe();
  llm.moe->routing.popularity_sigma = 1.2;
  return llm;
}

struct Dealt {
  std::int64_t most = 0, all = 0;
  [[nodiscard]] double busiest_over_mean(std::int64_t groups) const {
    return static_cast<double>(groups * most) / static_cast<double>(all);
  }
};
Dealt deal(const ParallelPlan& plan, ExpertBalance balance, std::int64_t redundant) {
  PlacementPolicy policy;
  policy.expert_balance = balance;
  policy.redundant_experts = redundant;
  Bench bench{small_platform(plan.stage_dies()), skewed(), plan, policy};
  const StepPrograms step = bench.lower(decode(64, 50, plan.data));
  Dealt out;
  // Dies wait for each other in every layer: the busiest of each counts.
  std::map<std::int16_t, std::int64_t> most;
  each_instruction(step, [&](auto, auto, const Instruction& in) {
    if (in.code != OpCode::Vector || in.vector_op != VectorOp::Combine) return;
    most[in.layer] = std::max(most[in.layer], in.amount / bench.llm.hidden);
  });
  for (const auto& [layer, pairs] : most) out.most += pairs;
  out.all = sum(pairs_by_die(bench, step));
  return out;
}

}  // namespace

TEST_CASE("expert groups: greedy gives every group as many experts, and the busiest less to do") {
  const std::vector<double> heat{8, 7, 6, 5, 1, 1, 1, 1};
  const auto by_number = deal_experts(heat, 4, ExpertBalance::Contiguous, 0);
  const auto greedy = deal_experts(heat, 4, ExpertBalance::Greedy, 0);
  CHECK(by_number.home == std::vector<std::int32_t>{0, 0, 1, 1, 2, 2, 3, 3});
  for (std::int32_t g = 0; g < 4; ++g) CHECK(std::ranges::count(greedy.home, g) == 2);
  CHECK(std::ranges::max(expected_loads(heat, by_number, 4)) == 15);
  CHECK(std::ranges::max(expected_loads(heat, greedy, 4)) == 9);
}

TEST_CASE("expert groups: a copy halves its expert, elsewhere, where there is least to do") {
  const std::vector<double> heat{8, 1, 2, 1};
  const auto dealt = deal_experts(heat, 2, ExpertBalance::Contiguous, 1);
  CHECK(dealt.copy == std::vector<std::optional<std::int32_t>>{1, {}, {}, {}});
  CHECK(expected_loads(heat, dealt, 2) == std::vector<double>{5, 7});
  CHECK_FALSE(deal_experts(heat, 1, ExpertBalance::Contiguous, 1).copy[0]);
}

TEST_CASE(
    "expert groups: the busiest die has fewer tokens when dealt by load, still fewer with copies") {
  for (const ParallelPlan& plan : {ParallelPlan{1, 1, 4, 4, 1}, ParallelPlan{1, 4, 1, 4, 1}}) {
    CAPTURE(to_string(plan));
    const Dealt by_number = deal(plan, ExpertBalance::Contiguous, 0);
    const Dealt greedy = deal(plan, ExpertBalance::Greedy, 0);
    const Dealt copied = deal(plan, ExpertBalance::Greedy, 4);
    MESSAGE("busiest over mean: " << by_number.busiest_over_mean(4) << ", "
                                  << greedy.busiest_over_mean(4) << ", "
                                  << copied.busiest_over_mean(4));
    CHECK(greedy.most < by_number.most);
    CHECK(copied.most < greedy.most);
    CHECK(greedy.all == by_number.all);
    CHECK(copied.all == by_number.all);
  }
}
