// SPDX-License-Identifier: Apache-2.0
// What latent attention, windows and recurrences load and multiply, under every plan, against
// sums over the architecture.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "sim/mapping/lowering.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"
#include "workloads/llm/attended.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

std::vector<LlmSpec> all() { return {latent(), latent(64), windowed(), hybrid()}; }

std::int64_t matrix_bytes(const LlmSpec& llm) {
  std::int64_t sum = bytes_of(llm.vocabulary * llm.hidden, llm.embedding).count();  // head
  for (std::int64_t l = 0; l < llm.layer_count(); ++l)
    for (const Matrix& m : matrices_of(llm, l)) sum += bytes_of(m.elements(), m.precision).count();
  return sum;
}

std::int64_t matrix_macs(const LlmSpec& llm) {
  std::int64_t sum = llm.vocabulary * llm.hidden;
  for (std::int64_t l = 0; l < llm.layer_count(); ++l)
    for (const Matrix& m : matrices_of(llm, l)) sum += m.elements();
  return sum;
}

std::int64_t stored_bytes(const StepPrograms& step) {
  std::int64_t bytes = 0;
  each_instruction(step, [&](auto, auto, const Instruction& in) {
    if (in.code == OpCode::Store) bytes += in.amount;
  });
  return bytes;
}

std::int64_t state_bytes(const LlmSpec& llm) {
  std::int64_t bytes = 0;
  for (std::int64_t l = 0; l < llm.layer_count(); ++l)
    if (const Mixer* mixer = llm.mixer_of(l))
      bytes += bytes_of(state_elements(*mixer), llm.state).count();
  return bytes;
}

}  // namespace

TEST_CASE("lower: every mixer's decode step reads its cache and its weights once, under any plan") {
  constexpr std::int64_t kBatch = 8, kContext = 200;
  for (const LlmSpec& llm : all())
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      Bench bench{small_platform(8), llm, plan};
      const StepPrograms step = bench.lower(decode(kBatch, kContext, plan.data));
      const StepTotals totals = totals_of(step);
      CHECK(sum(totals.kv) == kBatch * cache_read_bytes(llm, kContext, 1).count());
      // Weights stream once per replica, and once more for each microbatch of a pipeline.
      const std::int64_t rows = kBatch * bytes_of(llm.hidden, llm.embedding).count();
      const std::int64_t passes = plan.data * std::min(plan.pipeline, kBatch);
      if (kBatch % passes == 0) CHECK(sum(totals.weights) == passes * matrix_bytes(llm) + rows);
      CHECK(sum(totals.macs) ==
            kBatch * (matrix_macs(llm) + reticle::attention_macs(llm, kContext, 1)));
      CHECK(stored_bytes(step) == kBatch * (kv_bytes_per_token(llm).count() + state_bytes(llm)));
    }
}

TEST_CASE("lower: what is in SRAM is read there and not at home, to the byte, under any plan") {
  constexpr std::int64_t kBatch = 8, kContext = 200;
  constexpr auto kSram = static_cast<std::size_t>(Tier::Sram);
  constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
  const PlacementPolicy policy{.sram_fraction = 0, .kv_sram_share = 1};
  for (const LlmSpec& llm : all())
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      Bench bench{small_platform(8), llm, plan, policy};
      REQUIRE(bench.placement.kv.near_pages > 0);
      const StepPrograms before = bench.lower(decode(kBatch, kContext, plan.data));
      const StepTotals without = totals_of(before);
      for (const std::int64_t near : {std::int64_t{40}, std::int64_t{120}, kContext}) {
        CAPTURE(near);
        StepLoad load = decode(kBatch, kContext, plan.data);
        for (SequenceWork& s : load.sequences) s.near = near, s.near_new = 1;
        const StepPrograms step = bench.lower(load);
        const StepTotals totals = totals_of(step);
        const std::int64_t in_sram = kBatch * near_read_bytes(llm, kContext, near, 1).count();
        CHECK(in_sram > 0);
        CHECK(totals.kv[kSram].count() == in_sram);
        CHECK((totals.kv[kSram] + totals.kv[kHbm]) == without.kv[kHbm]);
        CHECK(totals.weights == without.weights);
        CHECK(totals.macs == without.macs);
        CHECK(totals.vector_ops == without.vector_ops);
        CHECK(stored_bytes(step) == stored_bytes(before));
        CHECK(roofline(bench.platform, totals).duration <=
              roofline(bench.platform, without).duration);
      }
    }
}

TEST_CASE("lower: copies of a latent cache are read and written by every die, products are not") {
  constexpr std::int64_t kBatch = 8, kContext = 200;
  const LlmSpec llm = latent();
  for (ParallelPlan plan : enumerate_plans(llm, 8)) {
    CAPTURE(to_string(plan));
    Bench cut{small_platform(8), llm, plan};
    const StepPrograms shared = cut.lower(decode(kBatch, kContext, plan.data));
    plan.latent_copies = true;
    Bench copied{small_platform(8), llm, plan};
    const StepPrograms step = copied.lower(decode(kBatch, kContext, plan.data));
    CHECK(sum(totals_of(step).macs) == sum(totals_of(shared).macs));
    CHECK(sum(totals_of(step).kv) == plan.tensor * sum(totals_of(shared).kv));
    CHECK(stored_bytes(step) == plan.tensor * stored_bytes(shared));
    CHECK(copied.placement.kv.page_bytes == plan.tensor * cut.placement.kv.page_bytes);
    // Neither queries are gathered nor partial results merged.
    if (plan.tensor > 1) CHECK(step.exchanges.size() < shared.exchanges.size());
  }
}

TEST_CASE("lower: a prefill of latent attention expands what is cached, and reads it once") {
  constexpr std::int64_t kContext = 96, kNew = 33;
  const LlmSpec llm = latent();
  const auto& spec = std::get<LatentAttentionSpec>(llm.mixers.front().of);
  for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
    if (plan.data > 1 || plan.pipeline > 1) continue;
    CAPTURE(to_string(plan));
    Bench bench{small_platform(8), llm, plan};
    StepLoad load;
    load.sequences.push_back(
        {.request = RequestId{1}, .context = kContext, .new_tokens = kNew, .outputs = 1});
    const StepTotals totals = totals_of(bench.lower(load));
    CHECK(sum(totals.kv) == kContext * kv_bytes_per_token(llm).count());
    const std::int64_t head = llm.vocabulary * llm.hidden;
    const std::int64_t expansion =
        llm.layer_count() * spec.heads * spec.kv_rank * (spec.nope_dim + spec.value_dim);
    CHECK(sum(totals.macs) == head + kNew * (matrix_macs(llm) - head) + kContext * expansion +
                                  reticle::attention_macs(llm, kContext, kNew));
  }
}

// Worked by hand, for eight layers of 16 heads; nothing here asks the code under test for a sum.
TEST_CASE("lower: products and bytes of attention are those counted on paper") {
  struct Hand {
    LlmSpec llm;
    std::int64_t context, new_tokens;
    std::int64_t macs, bytes;
  };
  const std::vector<Hand> cases{
      // A query and its 200: 64 in the window, 201 twice, 73 of its chunk of 128; each twice.
      // 2 x 16 x 16 products a pair; 8 x 16 numbers of 2 B a token but for the query's own.
      {windowed(), 200, 1, 2 * (64 + 201 + 73 + 201) * 512, 2 * (63 + 200 + 72 + 200) * 256},
      // 2 x 32 + 16 products a pair and head, 32 + 16 numbers a token.
      {latent(), 200, 1, 8 * 201 * 16 * 80, 8 * 200 * 96},
      // 64 selected; 8 x 8 products a pair to score all, 8 numbers a token more to do so.
      {latent(64), 200, 1, 8 * (64 * 16 * 80 + 201 * 64), 8 * (64 * 96 + 200 * 16)},
      // A prompt's queries select 64 each, together all 96; they score 97, 98, ... 129 tokens.
      {latent(64), 96, 33, 8 * (33 * 64 * 16 * 80 + 3729 * 64), 8 * (96 * 96 + 96 * 16)},
  };
  for (const Hand& hand : cases) {
    CAPTURE(hand.llm.name);
    CAPTURE(hand.new_tokens);
    Bench bench{small_platform(8), hand.llm, {.tensor = 8, .expert_tensor = 8}};
    StepLoad load;
    load.sequences.push_back(
        {.request = RequestId{1}, .context = hand.context, .new_tokens = hand.new_tokens});
    const StepTotals totals = totals_of(bench.lower(load));
    const std::int64_t head = hand.llm.vocabulary * hand.llm.hidden;
    const std::int64_t matrices = head + hand.new_tokens * (matrix_macs(hand.llm) - head);
    CHECK(sum(totals.macs) - matrices == hand.macs);
    CHECK(sum(totals.kv) == hand.bytes);
  }
}

TEST_CASE("lower: the delta rule's prompts take its products beside those of other recurrences") {
  const auto macs = [](Recurrence kind) {
    const LlmSpec llm = with_mixers({{"r", RecurrentSpec{.kind = kind,
                                                         .heads = 16,
                                                         .key_heads = 8,
                                                         .key_dim = 16,
                                                         .value_dim = 8,
                                                         .chunk = 64}}},
                                    "recurrent");
    Bench bench{small_platform(1), llm, {}};
    StepLoad load;
    load.sequences.push_back({.request = RequestId{1}, .context = 0, .new_tokens = 128});
    const std::int64_t head = llm.vocabulary * llm.hidden;
    return sum(totals_of(bench.lower(load)).macs) - head - 128 * (matrix_macs(llm) - head);
  };
  // Two chunks of 64. Scores 8 x 64 x 64 x 16, their sum 16 x 64 x 64 x 8, state and read-out
  // 16 x 64 x 16 x 8 each.
  constexpr std::int64_t kChunk = 524'288 + 524'288 + 2 * 131'072;
  CHECK(macs(Recurrence::Mamba2) == 8 * 2 * kChunk);
  // Keys with keys as the scores; 16 inverses of 64 x 64 / 3 x 64 (22 for 64 / 3); their products
  // with keys of 16 and values of 8; keys with the state.
  constexpr std::int64_t kDelta =
      524'288 + 16 * 64 * 22 * 64 + 16 * 64 * 64 * 16 + 16 * 64 * 64 * 8 + 131'072;
  CHECK(macs(Recurrence::GatedDelta) == 8 * 2 * (kChunk + kDelta));
}

TEST_CASE("lower: a recurrence has no state to read before its first token") {
  const LlmSpec llm = hybrid();
  Bench bench{small_platform(1), llm, {}};
  StepLoad load;
  load.sequences.push_back({.request = RequestId{1}, .context = 0, .new_tokens = 100});
  const StepPrograms step = bench.lower(load);
  CHECK(sum(totals_of(step).kv) == 0);
  CHECK(stored_bytes(step) == 100 * kv_bytes_per_token(llm).count() + state_bytes(llm));
}

TEST_CASE("place: pages for what grows, windows no more than their tokens, states at once") {
  const LlmSpec llm = windowed();
  for (const std::int64_t stages : {1, 2, 8}) {  // 8: some stages have windows alone
    CAPTURE(stages);
    Bench bench{small_platform(8), llm, {.pipeline = stages, .tensor = 8 / stages}};
    const KvRoom& kv = bench.placement.kv;
    CHECK(kv.page_bytes.count() == 4 * kPage * kv_bytes_per_token_layer(llm, 1).count());
    CHECK(static_cast<std::int64_t>(kv.stages.size()) == stages);
    for (const std::int64_t tokens : {1, 50, 64, 100, 128, 1000}) {
      std::int64_t filled = 0;
      for (const CacheStage& stage : kv.stages) filled += stage.filled(tokens) * kv.dies;
      CHECK(filled == held_bytes(llm, tokens).count());
    }
    // Long sequences are bounded by the pages of a growing stage, its windows apart.
    const std::int64_t longest = 60'000;
    std::int64_t expected = std::numeric_limits<std::int64_t>::max();
    for (const CacheStage& stage : kv.stages)
      if (stage.page > 0)
        expected = std::min(expected, stage.room / (longest / kPage * stage.page));
    CHECK(sequences_that_fit(kv.stages, longest) <= expected);
    CHECK(sequences_that_fit(kv.stages, longest) >= expected - 1);
  }
}

TEST_CASE("place: where nothing grows a sequence takes its state whatever its length") {
  const LlmSpec llm = with_mixers(
      {{"mamba", RecurrentSpec{.heads = 16, .key_heads = 8, .key_dim = 16, .value_dim = 8}}},
      "recurrent");
  Bench bench{small_platform(1), llm, {}};
  const KvRoom& kv = bench.placement.kv;
  CHECK(kv.page_bytes.count() == 0);
  CHECK(kv.stages[0].booked(1) == state_bytes(llm));
  CHECK(sequences_that_fit(kv.stages, 1) == sequences_that_fit(kv.stages, llm.max_context));
}
