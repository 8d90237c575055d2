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

LlmSpec with_mixers(std::vector<Mixer> mixers, std::string name) {
  LlmSpec llm = small_dense();
  llm.name = std::move(name);
  llm.mixers = std::move(mixers);
  for (std::size_t i = 0; i < llm.layers.size(); ++i)
    llm.layers[i].mixer = static_cast<std::int8_t>(i % llm.mixers.size());
  check(llm);
  return llm;
}

LlmSpec latent(std::int64_t topk = 0) {
  LatentAttentionSpec a{.heads = 16,
                        .query_rank = 64,
                        .kv_rank = 32,
                        .rope_dim = 16,
                        .nope_dim = 16,
                        .value_dim = 16};
  if (topk > 0) a.index_heads = 8, a.index_dim = 8, a.index_topk = topk;
  return with_mixers({{"latent", a}}, topk > 0 ? "sparse-latent" : "latent");
}

LlmSpec windowed() {
  AttentionSpec full{.heads = 16, .kv_heads = 4, .head_dim = 16};
  AttentionSpec sliding = full;
  sliding.window = 64;
  AttentionSpec chunked = full;
  chunked.window = 128;
  chunked.chunked = true;
  return with_mixers({{"sliding", sliding}, {"full", full}, {"chunked", chunked}, {"f", full}},
                     "windowed");
}

LlmSpec hybrid() {
  LlmSpec llm = with_mixers(
      {{"mamba",
        RecurrentSpec{.heads = 16, .key_heads = 8, .key_dim = 16, .value_dim = 8, .conv = 4}},
       {"full", AttentionSpec{.heads = 16, .kv_heads = 4, .head_dim = 16}}},
      "hybrid");
  llm.layers[2] = {kNoMixer, FfnKind::Dense};
  llm.layers[4].ffn = FfnKind::None;
  check(llm);
  return llm;
}

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
        {.request = RequestId{1}, .context = kContext, .new_tokens = kNew, .emits = true});
    const StepTotals totals = totals_of(bench.lower(load));
    CHECK(sum(totals.kv) == kContext * kv_bytes_per_token(llm).count());
    const std::int64_t head = llm.vocabulary * llm.hidden;
    const std::int64_t expansion =
        llm.layer_count() * spec.heads * spec.kv_rank * (spec.nope_dim + spec.value_dim);
    CHECK(sum(totals.macs) == head + kNew * (matrix_macs(llm) - head) + kContext * expansion +
                                  reticle::attention_macs(llm, kContext, kNew));
  }
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

TEST_CASE("place: pages for what grows; windows no more than their tokens, states at once") {
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
