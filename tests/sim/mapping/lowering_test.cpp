// SPDX-License-Identifier: Apache-2.0
// What a step loads and multiplies, against closed forms over the architecture; and the rules a
// program must keep so that a die can run it.
#include "sim/mapping/lowering.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>

#include "tests/sim/mapping/mapping_fixture.hpp"
#include "tests/workloads/example_llms.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kContext = 333;

std::int64_t router_macs_per_token(const LlmSpec& llm) { return count_parameters(llm).router; }

/// One die that holds llama-3-70b.
PlatformSpec large_die() {
  PlatformSpec p = small_platform(1);
  p.die.sequencer.staging = 32 * 1_MiB;
  p.die.sequencer.load_tile = 16 * 1_MiB;
  p.die.sram.capacity = 64 * 1_MiB;
  p.die.hbm->capacity_per_stack = 200 * 1_GB;
  return p;
}

/// Requests in decode and in prefill, on every replica.
StepLoad mixed_load(std::int64_t replicas) {
  StepLoad load = decode(2 * replicas, kContext, replicas);
  for (std::int64_t i = 0; i < replicas; ++i)
    load.sequences.push_back({.request = RequestId{static_cast<std::uint64_t>(100 + i)},
                              .context = 32,
                              .new_tokens = 21,
                              .replica = static_cast<std::int32_t>(i),
                              .outputs = i % 2 == 0 ? 1 : 0});
  return load;
}

bool depends_on(const Instruction& in, std::int32_t i) {
  return std::any_of(in.after.begin(), in.after.end(),
                     [&](const Dependency& d) { return d.on() == i; });
}

}  // namespace

TEST_CASE("lower: a dense step loads the bytes of one token's weights whatever the batch") {
  for (const LlmSpec& llm : {llama_3_70b(), small_dense()}) {
    Bench bench{large_die(), llm, {}};
    const std::int64_t norms = bytes_of(count_parameters(llm).norms, Precision::Bf16).count();
    const std::int64_t row = bytes_of(llm.hidden, llm.embedding).count();
    for (const std::int64_t batch : {1, 8}) {
      CAPTURE(llm.name);
      CAPTURE(batch);
      const StepTotals totals = totals_of(bench.lower(decode(batch, kContext)));
      // Norm gains are left out; of the input embedding every token reads a row.
      CHECK(sum(totals.weights) == active_weight_bytes(llm).count() - norms + (batch - 1) * row);
      CHECK(sum(totals.kv) == batch * kContext * kv_bytes_per_token(llm).count());
    }
  }
}

TEST_CASE("lower: the multiply-accumulates of a decode step follow from the architecture") {
  for (const LlmSpec& llm : {llama_3_70b(), small_dense()})
    for (const std::int64_t batch : {1, 8}) {
      CAPTURE(llm.name);
      CAPTURE(batch);
      Bench bench{large_die(), llm, {}};
      const StepTotals totals = totals_of(bench.lower(decode(batch, kContext)));
      CHECK(sum(totals.macs) ==
            batch * (dense_macs_per_token(llm) + attention_macs(llm, kContext + 1)));
    }
}

TEST_CASE("lower: a prefill chunk attends to what is cached and causally to itself") {
  const LlmSpec llm = small_dense();
  Bench bench{small_platform(1), llm, {}};
  constexpr std::int64_t kNew = 20;
  StepLoad load;
  load.sequences.push_back(
      {.request = RequestId{1}, .context = 100, .new_tokens = kNew, .outputs = 0});
  const StepTotals inner = totals_of(bench.lower(load));
  const std::int64_t head = llm.vocabulary * llm.hidden;
  std::int64_t pairs = 0;
  for (std::int64_t t = 0; t < kNew; ++t) pairs += 100 + t + 1;
  const std::int64_t gemms = kNew * (dense_macs_per_token(llm) - head);
  // Within half a position per token of the exact causal sum.
  CHECK(sum(inner.macs) - gemms >= attention_macs(llm, pairs));
  CHECK(sum(inner.macs) - gemms <= attention_macs(llm, pairs + kNew / 2));
  // A chunk in the middle yields no token, so it needs no head; the last one needs it once.
  load.sequences[0].outputs = 1;
  const StepTotals last = totals_of(bench.lower(load));
  CHECK(sum(last.macs) - sum(inner.macs) == head);
  CHECK(sum(last.weights) - sum(inner.weights) == bytes_of(head, llm.embedding).count());
  CHECK(sum(last.kv) == 100 * kv_bytes_per_token(llm).count());
}

TEST_CASE("lower: every new token's keys and values are stored") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      Bench bench{small_platform(8), llm, plan};
      const StepLoad load = mixed_load(plan.data);
      std::int64_t tokens = 0, stored = 0;
      for (const SequenceWork& s : load.sequences) tokens += s.new_tokens;
      each_instruction(bench.lower(load), [&](auto, auto, const Instruction& in) {
        if (in.code == OpCode::Store) stored += in.amount;
      });
      CHECK(stored == tokens * kv_bytes_per_token(llm).count());
    }
}

TEST_CASE("lower: all plans of eight dies multiply the same and the router once per rank") {
  for (const LlmSpec& llm : {small_dense(), small_moe()}) {
    Bench alone{small_platform(1), llm, {}};
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      const StepLoad load = mixed_load(plan.data);
      std::int64_t tokens = 0;
      for (const SequenceWork& s : load.sequences) tokens += s.new_tokens;
      StepLoad one_replica = load;
      for (SequenceWork& s : one_replica.sequences) s.replica = 0;
      const std::int64_t expected = sum(totals_of(alone.lower(one_replica)).macs) +
                                    (plan.tensor - 1) * tokens * router_macs_per_token(llm);
      Bench bench{small_platform(8), llm, plan};
      CHECK(sum(totals_of(bench.lower(load)).macs) == expected);
    }
  }
}

TEST_CASE("lower: cuts deal element-wise work out and add none where heads divide") {
  const LlmSpec llm = small_dense();  // four KV heads
  Bench alone{small_platform(1), llm, {}};
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
    if (attention_shards(llm.mixers.front(), plan).context > 1)
      continue;  // merging partial results is extra
    CAPTURE(to_string(plan));
    const StepLoad load = mixed_load(plan.data);
    StepLoad one_replica = load;
    for (SequenceWork& s : one_replica.sequences) s.replica = 0;
    Bench bench{small_platform(8), llm, plan};
    CHECK(totals_of(bench.lower(load)).vector_ops ==
          totals_of(alone.lower(one_replica)).vector_ops);
  }
}

TEST_CASE("lower: a single stream loads the same bytes under every plan without replicas") {
  for (const LlmSpec& llm : {small_dense(), small_moe()}) {
    Bench alone{small_platform(1), llm, {}};
    const StepLoad load = decode(1, kContext);
    const StepTotals whole = totals_of(alone.lower(load));
    const std::int64_t router = bytes_of(count_parameters(llm).router, Precision::Bf16).count();
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      if (plan.data > 1) continue;
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      Bench bench{small_platform(8), llm, plan};
      const StepTotals totals = totals_of(bench.lower(load));
      CHECK(sum(totals.weights) == sum(whole.weights) + (plan.tensor - 1) * router);
      CHECK(sum(totals.kv) == sum(whole.kv));
    }
  }
}

TEST_CASE("lower: uneven cuts lose and add no byte") {
  const LlmSpec llm = small_moe();  // FP8: a byte an element, so no rounding
  Bench alone{small_platform(1), llm, {}};
  const StepLoad load = decode(1, kContext);
  const std::int64_t router = bytes_of(count_parameters(llm).router, Precision::Bf16).count();
  for (const ParallelPlan& plan :
       {ParallelPlan{1, 1, 3, 1, 3}, ParallelPlan{1, 1, 7, 7, 1}, ParallelPlan{1, 1, 12, 3, 4}}) {
    CAPTURE(to_string(plan));
    Bench bench{small_platform(plan.tensor), llm, plan};
    const StepTotals totals = totals_of(bench.lower(load));
    CHECK(sum(totals.weights) ==
          sum(totals_of(alone.lower(load)).weights) + (plan.tensor - 1) * router);
    CHECK(sum(totals.kv) == kContext * kv_bytes_per_token(llm).count());
  }
}

TEST_CASE("lower: replicas load the dense weights once each") {
  const LlmSpec llm = small_dense();
  Bench alone{small_platform(1), llm, {}};
  const std::int64_t once = sum(totals_of(alone.lower(decode(1, kContext))).weights);
  for (const std::int64_t replicas : {1, 2, 4, 8}) {
    Bench bench{small_platform(8), llm, {1, replicas, 8 / replicas, 1, 8}};
    CHECK(sum(totals_of(bench.lower(decode(replicas, kContext, replicas))).weights) ==
          replicas * once);
    // A replica without a sequence has nothing to do.
    CHECK(sum(totals_of(bench.lower(decode(1, kContext))).weights) == once);
  }
}

TEST_CASE("lower: a pipeline of p stages loads its weights once per microbatch") {
  const LlmSpec llm = small_dense();
  Bench bench{small_platform(4), llm, {.pipeline = 4}};
  const std::int64_t row = bytes_of(llm.hidden, llm.embedding).count();
  const std::int64_t once = sum(totals_of(bench.lower(decode(1, kContext))).weights) - row;
  for (const std::int64_t batch : {1, 2, 3, 4, 9})
    CHECK(sum(totals_of(bench.lower(decode(batch, kContext))).weights) ==
          std::min<std::int64_t>(batch, 4) * once + batch * row);
}

TEST_CASE("lower: a die loads only layers of its own stage") {
  const LlmSpec llm = small_moe();
  const ParallelPlan plan{.pipeline = 3, .data = 1, .tensor = 2, .expert = 2, .expert_tensor = 1};
  Bench bench{small_platform(6), llm, plan};
  std::int64_t strangers = 0;
  each_instruction(bench.lower(decode(3, kContext)),
                   [&](std::size_t d, auto, const Instruction& in) {
                     if (in.code == OpCode::Exchange || in.layer < 0) return;
                     const auto stage = static_cast<std::int64_t>(d) / plan.stage_dies();
                     strangers += in.layer < first_layer(llm, plan, stage) ||
                                  in.layer >= first_layer(llm, plan, stage + 1);
                   });
  CHECK(strangers == 0);
}

TEST_CASE("program: dependencies point back, queues are in order, staged loads have a consumer") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const bool prefetch : {true, false})
      for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
        CAPTURE(llm.name);
        CAPTURE(prefetch);
        CAPTURE(to_string(plan));
        PlatformSpec p = small_platform(8);
        p.die.sequencer.static_prefetch = prefetch;
        Bench bench{p, llm, plan};
        const StepPrograms step = bench.lower(mixed_load(plan.data));
        std::int64_t forward = 0, orphans = 0, oversize = 0, empty = 0;
        each_instruction(step, [&](std::size_t d, std::int32_t i, const Instruction& in) {
          const auto& code = step.dies[d].code;
          for (const Dependency& dep : in.after)
            forward += dep.on() >= i || dep.on() < kNoInstruction;
          empty += in.amount <= 0 && in.code != OpCode::Mac && in.code != OpCode::Exchange &&
                   in.code != OpCode::Wait;
          if (!in.staged) return;
          oversize += in.amount > p.die.sequencer.load_tile.count();
          const bool later =
              in.consumer > i && in.consumer < static_cast<std::int32_t>(code.size());
          orphans += !later || !depends_on(code[static_cast<std::size_t>(in.consumer)], i);
        });
        CHECK(forward == 0);
        CHECK(orphans == 0);
        CHECK(oversize == 0);
        CHECK(empty == 0);
        for (const Program& program : step.dies) {
          std::size_t queued = 0;
          for (std::size_t u = 0; u < kUnitCount; ++u) {
            CHECK(std::is_sorted(program.queues[u].begin(), program.queues[u].end()));
            for (const std::int32_t i : program.queues[u])
              CHECK(program.code[static_cast<std::size_t>(i)].unit == static_cast<Unit>(u));
            queued += program.queues[u].size();
          }
          CHECK(queued == program.code.size());
        }
      }
}

TEST_CASE("program: every participant joins each exchange once and in the order of their numbers") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      Bench bench{small_platform(4, 2), llm, plan};
      const StepPrograms step = bench.lower(mixed_load(plan.data));
      std::vector<std::set<std::int32_t>> joined(step.exchanges.size());
      std::vector<std::int32_t> newest(step.dies.size(), -1);
      std::int64_t out_of_order = 0, strangers = 0, twice = 0;
      each_instruction(step, [&](std::size_t d, auto, const Instruction& in) {
        if (in.code != OpCode::Exchange) return;
        out_of_order += in.exchange <= newest[d];
        newest[d] = in.exchange;
        const Exchange& exchange = *step.exchanges[static_cast<std::size_t>(in.exchange)];
        strangers += index(exchange.participants[static_cast<std::size_t>(in.slot)]) != d;
        twice += !joined[static_cast<std::size_t>(in.exchange)].insert(in.slot).second;
      });
      CHECK(out_of_order == 0);
      CHECK(strangers == 0);
      CHECK(twice == 0);
      for (std::size_t e = 0; e < step.exchanges.size(); ++e)
        CHECK(joined[e].size() == step.exchanges[e]->participants.size());
    }
}

TEST_CASE("program: kernels one after another pay a launch each and load nothing before it") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = small_platform(2);
  p.die.sequencer.static_prefetch = false;
  p.die.sequencer.launch_gap = 2_us;
  Bench bench{p, llm, {.tensor = 2, .expert_tensor = 2}};
  const StepPrograms step = bench.lower(decode(2, kContext));
  // Per layer QKV, attention, output projection, gate and up, down; embedding and head besides.
  CHECK(count_ops(step, OpCode::Wait) == 2 * (5 * llm.layer_count() + 2));
  std::vector<std::int32_t> launch(step.dies.size(), kNoInstruction);
  std::int64_t early = 0;
  each_instruction(step, [&](std::size_t d, std::int32_t i, const Instruction& in) {
    if (in.code == OpCode::Wait) {
      CHECK(Picoseconds{in.amount} == p.die.sequencer.launch_gap);
      CHECK(in.category == TimeCategory::Launch);
      launch[d] = i;
    }
    if (in.code == OpCode::Load) early += !depends_on(in, launch[d]);
  });
  CHECK(early == 0);
}

TEST_CASE("program: on a machine with kernels each begins with the time of its kind") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = small_platform(2);
  p.die.sequencer.static_prefetch = false;
  p.die.kernels = KernelParams{};
  for (std::size_t k = 0; k < kKernelKindCount; ++k)
    p.die.kernels->begin[k] = static_cast<std::int64_t>(k + 1) * 1_us;
  p.die.kernels->crossbar_permille = 800;
  p.die.kernels->operand_passes = 100;
  Bench bench{p, llm, {.tensor = 2, .expert_tensor = 2}};
  const StepPrograms step = bench.lower(decode(2, kContext));
  std::array<std::int64_t, kKernelKindCount> begun{};
  std::int64_t crossing_loads = 0;
  each_instruction(step, [&](auto, auto, const Instruction& in) {
    if (in.code == OpCode::Wait) ++begun.at(static_cast<std::size_t>(in.amount / 1'000'000 - 1));
    crossing_loads += in.code == OpCode::Load && in.category == TimeCategory::Mac;
  });
  const auto of = [&](KernelKind kind) { return begun[static_cast<std::size_t>(kind)]; };
  // Embedding; QKV, output projection, gate and up, down of each layer and the head; attention.
  CHECK(of(KernelKind::Small) == 2);
  CHECK(of(KernelKind::Product) == 2 * (4 * llm.layer_count() + 1));
  CHECK(of(KernelKind::Attention) + of(KernelKind::AttentionFp8) == 2 * llm.layer_count());
  CHECK(of(KernelKind::Prefill) == 0);
  CHECK(crossing_loads == of(KernelKind::Product));
}

TEST_CASE("program: with prefetch nothing waits for a launch and weights may run ahead") {
  Bench bench{small_platform(1), small_dense(), {}};
  PlacementPolicy outside;
  outside.sram_fraction = 0.0;
  Bench from_hbm{small_platform(1), small_dense(), {}, outside};
  CHECK(count_ops(bench.lower(decode(2, kContext)), OpCode::Wait) == 0);
  std::int64_t bound = 0;
  each_instruction(from_hbm.lower(decode(2, kContext)), [&](auto, auto, const Instruction& in) {
    if (in.code != OpCode::Load || !in.staged) return;
    for (const Dependency& dep : in.after) bound += dep.on() != kNoInstruction;
  });
  CHECK(bound == 0);
}

TEST_CASE("program: the number of operations follows from the layers") {
  const LlmSpec llm = small_dense();
  PlatformSpec p = small_platform(1);
  p.die.sram.capacity = 64 * 1_MiB;  // all weights direct, so a load per matrix
  Bench bench{p, llm, {}};
  const StepPrograms step = bench.lower(decode(3, 16));
  // QKV, output, gate and up, down, and the head; attention besides.
  CHECK(count_ops(step, OpCode::Mac) == 5 * llm.layer_count() + 1);
  CHECK(count_ops(step, OpCode::Store) == llm.layer_count());
  // A load per matrix, the KV of each layer, and the embedding rows.
  CHECK(count_ops(step, OpCode::Load) == 4 * llm.layer_count() + 1 + llm.layer_count() + 1);
  // A layer's norms (with the residual before them), rope, softmax and activation; the last norm
  // and the sampling.
  CHECK(count_ops(step, OpCode::Vector) == 5 * llm.layer_count() + 2);
  CHECK(count_ops(step, OpCode::Exchange) == 0);
}

TEST_CASE("program: tensor cuts meet twice a layer, at the embedding and at the sampling") {
  const LlmSpec llm = small_dense();
  Bench bench{
      small_platform(4), llm, {.tensor = 4, .expert_tensor = 4}};  // four KV heads: no context cut
  CHECK(static_cast<std::int64_t>(bench.lower(decode(2, 16)).exchanges.size()) ==
        2 * llm.layer_count() + 2);
  // Cutting the context adds a gather of QKV and a merge for each of the four head shards.
  Bench deeper{small_platform(8), llm, {.tensor = 8, .expert_tensor = 8}};
  CHECK(static_cast<std::int64_t>(deeper.lower(decode(2, 16)).exchanges.size()) ==
        (2 + 2 * 4) * llm.layer_count() + 2);
}

TEST_CASE("lower: a second step leaves nothing of the first behind") {
  Bench bench{small_platform(8), small_moe(), {1, 2, 4, 4, 2}};
  Lowering lowering{bench.platform, bench.llm, bench.placement, bench.router_or_null()};
  StepPrograms reused;
  lowering.lower(mixed_load(2), reused);
  lowering.lower(decode(2, 99, 2), reused);
  const StepPrograms fresh = bench.lower(decode(2, 99, 2));
  CHECK(reused.exchanges.size() == fresh.exchanges.size());
  for (std::size_t d = 0; d < fresh.dies.size(); ++d)
    CHECK(reused.dies[d].code.size() == fresh.dies[d].code.size());
  CHECK(sum(totals_of(reused).macs) == sum(totals_of(fresh).macs));
  CHECK(sum(totals_of(reused).weights) == sum(totals_of(fresh).weights));
}
