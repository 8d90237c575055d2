// SPDX-License-Identifier: Apache-2.0
// Routed experts: which are loaded, where their tokens go, and what is known when.
#include <doctest/doctest.h>

#include <numeric>
#include <set>

#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kContext = 50;

/// Experts that the new tokens of `load` pick at `layer`, straight from the router.
std::set<std::int32_t> picked(const Bench& bench, const StepLoad& load, std::int64_t layer) {
  std::set<std::int32_t> experts;
  std::vector<std::int32_t> picks(static_cast<std::size_t>(bench.llm.moe->top_k));
  for (const SequenceWork& s : load.sequences)
    for (std::int64_t t = 0; t < s.new_tokens; ++t) {
      bench.router->route(s.request, s.context + t, layer, picks);
      experts.insert(picks.begin(), picks.end());
    }
  return experts;
}

bool is_router(const Instruction& in) {
  return in.code == OpCode::Mac && in.precision == Precision::Bf16;
}

/// Per layer, bytes loaded after the router's GEMM: routed and shared experts.
std::vector<std::int64_t> bytes_behind_router(const StepPrograms& step, const LlmSpec& llm) {
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(llm.layer_count()));
  for (const Program& program : step.dies) {
    std::int16_t routed_layer = -1;
    for (const Instruction& in : program.code) {
      if (is_router(in)) routed_layer = in.layer;
      if (in.code == OpCode::Load && in.layer == routed_layer && in.layer >= 0)
        bytes[static_cast<std::size_t>(in.layer)] += in.amount;
    }
  }
  return bytes;
}

LlmSpec without_shared() {
  LlmSpec llm = small_moe();
  llm.moe->shared_experts = llm.moe->shared_ffn = 0;
  return llm;
}

StepLoad requests(std::initializer_list<std::uint64_t> ids) {
  StepLoad load;
  for (const std::uint64_t id : ids)
    load.sequences.push_back({.request = RequestId{id}, .context = kContext});
  return load;
}

}  // namespace

TEST_CASE("experts: exactly those that the router picked are loaded, once a step") {
  const LlmSpec llm = without_shared();
  const std::int64_t expert = bytes_of(3 * llm.hidden * llm.moe->expert_ffn, llm.weights).count();
  for (const ParallelPlan& plan :
       {ParallelPlan{}, ParallelPlan{1, 1, 4, 1, 4}, ParallelPlan{1, 1, 4, 4, 1},
        ParallelPlan{1, 2, 2, 4, 1}, ParallelPlan{1, 4, 1, 2, 2}}) {
    CAPTURE(to_string(plan));
    Bench bench{small_platform(plan.stage_dies()), llm, plan};
    StepLoad load = decode(5, kContext, plan.data);
    load.sequences.push_back(
        {.request = RequestId{77}, .context = 3, .new_tokens = 4, .outputs = 0});
    const auto bytes = bytes_behind_router(bench.lower(load), llm);
    for (std::int64_t layer = llm.layers_with(FfnKind::Dense); layer < llm.layer_count(); ++layer) {
      const auto expected = static_cast<std::int64_t>(picked(bench, load, layer).size()) * expert;
      CHECK(bytes[static_cast<std::size_t>(layer)] == expected);
    }
  }
}

TEST_CASE("experts: a request's tokens pick the same experts whatever batch they are in") {
  const LlmSpec llm = without_shared();
  Bench bench{small_platform(1), llm, {}};
  const auto routed_macs = [&](const StepLoad& load) {
    std::int64_t tokens = 0;
    for (const auto& s : load.sequences) tokens += s.new_tokens;
    return sum(totals_of(bench.lower(load)).macs) -
           tokens * (dense_macs_per_token(llm) + count_parameters(llm).router +
                     attention_macs(llm, kContext + 1));
  };
  const auto bytes = [&](const StepLoad& load) {
    return bytes_behind_router(bench.lower(load), llm);
  };
  const StepLoad a = requests({11}), b = requests({12}), both = requests({11, 12});
  CHECK(routed_macs(both) == routed_macs(a) + routed_macs(b));
  CHECK(routed_macs(a) == routed_macs_per_token(llm));
  // Experts of the pair: the union, so no fewer than of either and no more than of both.
  const auto of_a = bytes(a), of_b = bytes(b), of_both = bytes(both);
  for (std::size_t l = 0; l < of_a.size(); ++l) {
    CHECK(of_both[l] >= std::max(of_a[l], of_b[l]));
    CHECK(of_both[l] <= of_a[l] + of_b[l]);
  }
  // Neither the order in the batch nor the replica matters.
  CHECK(bytes(requests({12, 11})) == of_both);
  Bench replicas{small_platform(2), llm, {1, 2, 1, 1, 2}};
  StepLoad apart = both;
  apart.sequences[1].replica = 1;
  CHECK(bytes_behind_router(replicas.lower(apart), llm) == of_both);
}

TEST_CASE("experts: a position further on picks anew") {
  const LlmSpec llm = without_shared();
  Bench bench{small_platform(1), llm, {}};
  StepLoad now = requests({11});
  StepLoad next = now;
  ++next.sequences[0].context;
  std::int64_t changed = 0;
  for (std::int64_t layer = llm.layers_with(FfnKind::Dense); layer < llm.layer_count(); ++layer)
    changed += picked(bench, now, layer) != picked(bench, next, layer);
  CHECK(changed > 0);
}

TEST_CASE("experts: no weights are loaded before their router has spoken") {
  const LlmSpec llm = without_shared();
  for (const ParallelPlan& plan : {ParallelPlan{}, ParallelPlan{1, 1, 4, 1, 4},
                                   ParallelPlan{1, 1, 4, 4, 1}, ParallelPlan{3, 1, 2, 2, 1}}) {
    CAPTURE(to_string(plan));
    PlacementPolicy outside;
    outside.sram_fraction = 0.0;
    Bench bench{small_platform(plan.stage_dies() * plan.pipeline), llm, plan, outside};
    const StepPrograms step = bench.lower(decode(4, kContext));
    std::int64_t early = 0, loads = 0;
    for (const Program& program : step.dies) {
      std::int32_t router = kNoInstruction;
      for (std::size_t i = 0; i < program.code.size(); ++i) {
        const Instruction& in = program.code[i];
        if (is_router(in)) router = static_cast<std::int32_t>(i);
        if (in.code != OpCode::Load || router == kNoInstruction ||
            in.layer != program.code[static_cast<std::size_t>(router)].layer)
          continue;
        ++loads;
        // Its dependency is the top-k, which the router's GEMM comes before.
        early += in.after[0].on() <= router;
      }
    }
    CHECK(loads > 0);
    CHECK(early == 0);
  }
}

TEST_CASE("experts: with replicas no expert is loaded before the tokens of all have come") {
  const LlmSpec llm = without_shared();
  PlacementPolicy outside;
  outside.sram_fraction = 0.0;
  for (const ParallelPlan& plan :
       {ParallelPlan{1, 4, 1, 4, 1}, ParallelPlan{1, 2, 2, 4, 1}, ParallelPlan{1, 2, 2, 2, 2}})
    for (const std::int64_t busy :
         {plan.data, std::int64_t{1}}) {  // all replicas, or only the first
      CAPTURE(to_string(plan));
      CAPTURE(busy);
      Bench bench{small_platform(4), llm, plan, outside};
      const StepPrograms step = bench.lower(decode(6, kContext, busy));
      std::int64_t early = 0, loads = 0;
      for (const Program& program : step.dies) {
        std::int32_t dispatch = kNoInstruction;  // of this layer: the exchange over the whole stage
        std::int16_t layer = -1;
        for (std::size_t i = 0; i < program.code.size(); ++i) {
          const Instruction& in = program.code[i];
          if (in.layer != layer) dispatch = kNoInstruction;
          layer = in.layer;
          const bool whole_stage =
              in.code == OpCode::Exchange &&
              step.exchanges[static_cast<std::size_t>(in.exchange)]->participants.size() ==
                  static_cast<std::size_t>(plan.stage_dies());
          if (whole_stage && dispatch == kNoInstruction) dispatch = static_cast<std::int32_t>(i);
          if (in.code != OpCode::Load || dispatch == kNoInstruction) continue;
          ++loads;
          early += in.after[0].on() < dispatch;
        }
      }
      CHECK(loads > 0);
      CHECK(early == 0);
    }
}

TEST_CASE("dispatch: every token goes once, from one die, to each expert group it is routed to") {
  const LlmSpec llm = without_shared();
  // Four replicas of a die each; two of two dies, which have every other token for their own.
  ParallelPlan plan;
  SUBCASE("replicas of one die") { plan = {1, 4, 1, 4, 1}; }
  SUBCASE("replicas of two dies") { plan = {1, 2, 2, 4, 1}; }
  Bench bench{small_platform(4), llm, plan};
  const StepLoad load = decode(8, kContext, plan.data);
  const StepPrograms step = bench.lower(load);
  std::vector<const Exchange*> dispatches;
  for (const auto& exchange : step.exchanges)
    if (exchange->participants.size() == 4) dispatches.push_back(exchange.get());
  // A dispatch and a return per MoE layer; a replica's own exchanges are of fewer dies.
  REQUIRE(static_cast<std::int64_t>(dispatches.size()) == 2 * (llm.layers_with(FfnKind::Moe)));
  std::vector<std::int32_t> picks(static_cast<std::size_t>(llm.moe->top_k));
  for (std::int64_t layer = llm.layers_with(FfnKind::Dense); layer < llm.layer_count(); ++layer) {
    std::vector<std::int64_t> tokens(16);  // [die][group]
    std::vector<std::int64_t> dealt(static_cast<std::size_t>(plan.data));
    for (const SequenceWork& s : load.sequences) {
      std::set<std::int64_t> groups;
      bench.router->route(s.request, s.context, layer, picks);
      for (const std::int32_t e : picks) groups.insert(e * plan.expert / llm.moe->experts);
      const std::int64_t die =
          s.replica * plan.tensor + dealt[static_cast<std::size_t>(s.replica)]++ % plan.tensor;
      for (const std::int64_t g : groups) ++tokens[static_cast<std::size_t>(die * 4 + g)];
    }
    const auto at = static_cast<std::size_t>(2 * (layer - llm.layers_with(FfnKind::Dense)));
    const auto matrix = [](const Exchange& e) {
      std::vector<std::int64_t> bytes(16);
      for (const auto& phase : e.phases)
        for (const Message& m : phase)
          bytes[static_cast<std::size_t>(m.source * 4 + m.target)] += m.bytes.count();
      return bytes;
    };
    const auto there = matrix(*dispatches[at]), back = matrix(*dispatches[at + 1]);
    for (std::size_t d = 0; d < 4; ++d)
      for (std::size_t g = 0; g < 4; ++g) {
        if (d == g) continue;
        CHECK(there[d * 4 + g] ==
              tokens[d * 4 + g] * bytes_of(llm.hidden, llm.activations).count());
        CHECK(back[g * 4 + d] == tokens[d * 4 + g] * llm.hidden * 2);  // partial sums in BF16
      }
  }
}

TEST_CASE("experts: dealing large loads evenly changes no multiply-accumulate") {
  LlmSpec llm = without_shared();
  llm.moe->routing.popularity_sigma = 1.5;  // some experts far above the array's rows, some below
  Bench bench{small_platform(1), llm, {}};
  StepLoad load;
  load.sequences.push_back(
      {.request = RequestId{5}, .context = 0, .new_tokens = 200, .outputs = 0});
  const std::int64_t gemms = 200 * (dense_macs_per_token(llm) - llm.vocabulary * llm.hidden +
                                    count_parameters(llm).router);
  const std::int64_t attention = attention_macs(llm, 200 * div_up(201, 2));
  CHECK(sum(totals_of(bench.lower(load)).macs) ==
        gemms + attention + 200 * routed_macs_per_token(llm));
}

TEST_CASE(
    "lower: experts that choose take their share each, and the dispatch sends as many tokens") {
  LlmSpec llm = small_moe();
  llm.moe->routing.choice = ExpertChoice::ByExpert;
  constexpr std::int64_t kBatch = 16;
  Bench bench{small_platform(1), llm, {}};
  const StepPrograms step = bench.lower(decode(kBatch, 100));
  // 16 tokens x 4 of 16 experts: every expert takes 4, whatever it is popular for.
  each_instruction(step, [&](std::size_t die, auto, const Instruction& in) {
    if (in.code != OpCode::Mac) return;
    for (auto i = in.shapes_begin; i < in.shapes_end; ++i) {
      const GemmShape& s = step.dies[die].shapes[static_cast<std::size_t>(i)];
      if (s.count == 16 && s.k == llm.hidden) CHECK(s.m == 4);
    }
  });
  CHECK(sum(totals_of(step).macs) ==
        kBatch * (dense_macs_per_token(llm) + routed_macs_per_token(llm) +
                  count_parameters(llm).router + attention_macs(llm, 101)));
  // On two replicas of two dies, each a group of four experts: no group takes a token twice, all
  // take some, and what comes back is the partial sums of what was sent.
  const ParallelPlan plan{1, 2, 2, 4, 1};
  Bench cut{small_platform(4), llm, plan};
  std::vector<std::vector<std::int64_t>> dispatches;  // [dispatch or return][die]: bytes for it
  for (const auto& exchange : cut.lower(decode(kBatch, 100, plan.data)).exchanges) {
    if (exchange->participants.size() != 4) continue;
    dispatches.emplace_back(4);
    for (const auto& phase : exchange->phases)
      for (const Message& m : phase)
        dispatches.back()[static_cast<std::size_t>(m.target)] += m.bytes.count();
  }
  REQUIRE(std::ssize(dispatches) == 2 * llm.layers_with(FfnKind::Moe));
  for (std::size_t i = 0; i < dispatches.size(); i += 2) {
    const auto& there = dispatches[i];
    for (const std::int64_t bytes : there) {
      CHECK(bytes > 0);
      CHECK(bytes <= kBatch * bytes_of(llm.hidden, llm.activations).count());
    }
    const auto values = [](const std::vector<std::int64_t>& bytes, std::int64_t each) {
      return std::accumulate(bytes.begin(), bytes.end(), std::int64_t{}) / each;
    };
    CHECK(values(there, bytes_of(1, llm.activations).count()) == values(dispatches[i + 1], 2));
  }
}

TEST_CASE("lower: a capacity factor drops what the busiest experts would have had beyond it") {
  LlmSpec llm = small_moe();
  llm.moe->routing.popularity_sigma = 2;
  constexpr std::int64_t kBatch = 16;
  const std::int64_t picks = kBatch * llm.moe->top_k * llm.layers_with(FfnKind::Moe);
  std::int64_t dropped = 0;
  const auto macs = [&](double factor) {
    LlmSpec limited = llm;
    limited.moe->routing.capacity_factor = factor;
    Bench bench{small_platform(1), limited, {}};
    const StepPrograms step = bench.lower(decode(kBatch, 100));
    CHECK(step.picks == picks);
    dropped = step.dropped_picks;
    return sum(totals_of(step).macs);
  };
  // What is dropped is counted, and is what is not computed.
  const std::int64_t all = macs(0);
  CHECK(dropped == 0);
  for (const double factor : {1.0, 1.5, 2.0}) {
    const std::int64_t computed = macs(factor);
    CHECK(dropped > 0);
    CHECK((all - computed) * picks == dropped * kBatch * routed_macs_per_token(llm));
  }
  CHECK(macs(16) == macs(0));
  CHECK(macs(1) < macs(2));
  CHECK(macs(2) <= macs(0));
  // At a factor of 1 no expert has more than the mean: 4 of 16 tokens.
  const std::int64_t routed = macs(1) - (macs(0) - kBatch * routed_macs_per_token(llm));
  CHECK(routed <= kBatch * routed_macs_per_token(llm));
  CHECK(routed > 0);
}
