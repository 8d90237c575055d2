// SPDX-License-Identifier: Apache-2.0
// Keys and values that change tier, and that change format on their way, counted in programs.
#include <doctest/doctest.h>

#include "tests/sim/mapping/mapping_fixture.hpp"
#include "workloads/llm/attended.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

PlatformSpec with_far(std::int64_t per_package, std::int64_t packages) {
  PlatformSpec p = small_platform(per_package, packages);
  p.die.far = LinkedMemoryParams{.capacity = 1_GB, .device = {}, .link = {}};
  p.die.flash = p.die.far;
  return p;
}

struct Moved {
  std::array<std::int64_t, kTierCount> loaded{}, stored{};
  std::vector<std::int64_t> by_die;
};

Moved moved(const StepPrograms& step) {
  Moved m;
  m.by_die.resize(step.dies.size());
  each_instruction(step, [&](std::size_t die, auto, const Instruction& in) {
    if (in.category != TimeCategory::KvMove) return;
    auto& bytes = in.code == OpCode::Load ? m.loaded : m.stored;
    bytes[static_cast<std::size_t>(in.tier)] += in.amount;
    if (in.code == OpCode::Load) m.by_die[die] += in.amount;
  });
  return m;
}

constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
constexpr auto kFar = static_cast<std::size_t>(Tier::Far);
constexpr auto kFlash = static_cast<std::size_t>(Tier::Flash);

/// Elements of the whole step that `op` passes over.
std::int64_t elements(const StepPrograms& step, VectorOp op) {
  std::int64_t sum = 0;
  each_instruction(step, [&](auto, auto, const Instruction& in) {
    if (in.code == OpCode::Vector && in.vector_op == op) sum += in.amount;
  });
  return sum;
}

}  // namespace

TEST_CASE("moves: every byte is read in one tier and written in the other, by its replica's dies") {
  for (const ParallelPlan& plan : {ParallelPlan{}, ParallelPlan{1, 1, 8, 1, 8},
                                   ParallelPlan{1, 2, 4, 1, 8}, ParallelPlan{4, 1, 2, 1, 2}}) {
    const std::int64_t n = plan.stage_dies() * plan.pipeline;
    Bench bench{with_far(n, 1), small_dense(), plan};
    const auto replica = static_cast<std::int32_t>(plan.data - 1);
    for (const bool beside : {false, true}) {
      StepLoad load = beside ? decode(3, 100, plan.data) : StepLoad{};
      load.moves = {{replica, KvPlace::Home, KvPlace::Far, Bytes{1'000'003}},
                    {replica, KvPlace::Far, KvPlace::Home, Bytes{77'777}},
                    {replica, KvPlace::Far, KvPlace::Flash, Bytes{3'331}},
                    {replica, KvPlace::Flash, KvPlace::Home, Bytes{11'113}}};
      const Moved m = moved(bench.lower(load));
      CHECK(m.loaded[kHbm] == 1'000'003);
      CHECK(m.stored[kFar] == 1'000'003);
      CHECK(m.loaded[kFar] == 77'777 + 3'331);
      CHECK(m.loaded[kFlash] == 11'113);
      CHECK(m.stored[kFlash] == 3'331);
      CHECK(m.stored[kHbm] == 77'777 + 11'113);
      for (std::int64_t die = 0; die < n; ++die) {
        const bool mine = die % plan.stage_dies() / plan.tensor == replica;
        CHECK((m.by_die[static_cast<std::size_t>(die)] > 0) == mine);
      }
    }
  }
}

TEST_CASE(
    "formats: a cache in two bits is quantised as it is written and dequantised as it is read") {
  for (const ParallelPlan& plan : {ParallelPlan{}, ParallelPlan{1, 1, 8, 1, 8}}) {
    LlmSpec llm = small_dense();
    llm.weights = llm.embedding = llm.activations = Precision::Fp8;
    const auto lowered = [&](Precision kv) {
      llm.kv = kv;
      PlatformSpec p = small_platform(plan.tensor);
      p.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Int2)] = 0;
      Bench bench{p, llm, plan};
      return bench.lower(decode(3, 128));
    };
    const std::int64_t per_token = 2 * 4 * 16 * llm.layer_count();  // keys and values of 4 heads
    const StepPrograms plain = lowered(Precision::Fp8), two = lowered(Precision::Int2);
    CHECK(elements(plain, VectorOp::Quantise) == 0);
    CHECK(elements(plain, VectorOp::Dequantise) == 0);
    CHECK(elements(two, VectorOp::Quantise) == 3 * per_token);
    CHECK(elements(two, VectorOp::Dequantise) == 3 * 128 * per_token);
    // Three bits an element, scales and zero points included.
    CHECK(totals_of(two).kv[kHbm].count() == 3 * 128 * per_token * 3 / 8);
    CHECK(totals_of(two).macs == totals_of(plain).macs);
  }
}
