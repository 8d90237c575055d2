// SPDX-License-Identifier: Apache-2.0
// Adapters in programs: what they load and multiply, what they take up, and their way in.
#include <doctest/doctest.h>

#include <set>

#include "sim/base/error.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
constexpr auto kFar = static_cast<std::size_t>(Tier::Far);
constexpr auto kBf16 = static_cast<std::size_t>(Precision::Bf16);

PlacementPolicy with_adapters(const AdapterSpec& spec) {
  PlacementPolicy policy;
  policy.adapters = spec;
  return policy;
}

PlatformSpec with_far(std::int64_t per_package) {
  PlatformSpec p = small_platform(per_package, 1);
  p.die.far = LinkedMemoryParams{.capacity = 1_GB, .device = {}, .link = {}};
  return p;
}

/// In a format of their own, so that products are told apart.
LlmSpec small_fp8() {
  LlmSpec llm = small_dense();
  llm.weights = llm.embedding = llm.activations = llm.kv = Precision::Fp8;
  return llm;
}

const std::vector<ParallelPlan> kPlans{
    {}, {1, 1, 8, 1, 8}, {1, 2, 4, 1, 8}, {4, 1, 2, 1, 2}, {2, 2, 2, 1, 4}};

/// `batch` decodes, the i-th with adapter i modulo `adapters`.
StepLoad decode_with(std::int64_t batch, std::int64_t adapters, std::int64_t replicas = 1) {
  StepLoad load = decode(batch, 100, replicas);
  for (std::size_t i = 0; i < load.sequences.size(); ++i)
    load.sequences[i].adapter = static_cast<std::uint32_t>(i % static_cast<std::size_t>(adapters));
  return load;
}

PlatformSpec bf16_slower(std::int64_t dies) {
  PlatformSpec p = with_far(dies);
  p.die.mac.cycles_per_pass[kBf16] = 2;
  return p;
}

}  // namespace

TEST_CASE("adapters: a step without them is the same to the instruction, whatever has room") {
  for (const ParallelPlan& plan : kPlans) {
    const std::int64_t n = plan.stage_dies() * plan.pipeline;
    Bench plain{with_far(n), small_fp8(), plan};
    Bench beside{with_far(n), small_fp8(), plan, with_adapters({.adapters = 4, .slots = 2})};
    const StepPrograms a = plain.lower(decode(4, 100, plan.data)),
                       b = beside.lower(decode(4, 100, plan.data));
    REQUIRE(a.dies.size() == b.dies.size());
    for (std::size_t d = 0; d < a.dies.size(); ++d) {
      CHECK(a.dies[d].code.size() == b.dies[d].code.size());
      CHECK(a.dies[d].shapes.size() == b.dies[d].shapes.size());
    }
    CHECK(totals_of(a).weights == totals_of(b).weights);
    CHECK(totals_of(a).macs == totals_of(b).macs);
  }
}

TEST_CASE("adapters: a step loads each of its adapters once on every die and no other") {
  for (const ParallelPlan& plan : kPlans)
    for (const std::int64_t adapters : {1, 3, 8}) {
      const std::int64_t n = plan.stage_dies() * plan.pipeline;
      const AdapterSpec spec{.adapters = 16, .ranks = {4, 16}, .slots = 8};
      Bench bench{bf16_slower(n), small_fp8(), plan, with_adapters(spec)};
      const std::int64_t batch = 8 * plan.data;
      const StepTotals with = totals_of(bench.lower(decode_with(batch, adapters, plan.data)));
      const StepTotals without = totals_of(bench.lower(decode(batch, 100, plan.data)));
      CHECK(with.kv == without.kv);
      std::int64_t bytes = 0, macs = 0;
      const AdapterRoom& room = *bench.placement.adapters;
      // A microbatch of a pipeline reads what its own sequences want.
      const std::int64_t microbatches = plan.pipeline;
      for (std::int64_t m = 0; m < microbatches; ++m) {
        std::set<std::pair<std::int64_t, std::int64_t>> seen;
        for (std::int64_t i = batch * m / microbatches; i < batch * (m + 1) / microbatches; ++i) {
          const std::size_t rank = static_cast<std::size_t>(i % adapters % 2);
          macs += room.ranks[rank].elements;
          if (seen.emplace(i % plan.data, i % adapters).second)
            bytes += room.replica_bytes(rank).count();
        }
      }
      CHECK(with.weights[kHbm].count() - without.weights[kHbm].count() == bytes);
      CHECK(with.macs[kBf16] - without.macs[kBf16] == macs);
      CHECK(with.macs[static_cast<std::size_t>(Precision::Fp8)] ==
            without.macs[static_cast<std::size_t>(Precision::Fp8)]);
    }
}

TEST_CASE("adapters: one die has all of them, more dies repeat what is not cut") {
  const AdapterSpec spec{.adapters = 1};
  const LlmSpec llm = small_dense();
  const AdapterRoom one = adapter_room(llm, {}, spec);
  CHECK(one.ranks[0].elements == adapter_elements(llm, spec, 16));
  CHECK(one.replica_bytes(0) == bytes_of(one.ranks[0].elements, Precision::Bf16));
  // Columns dealt: A of q, k, v, gate and up on every die. Rows dealt: B of o and down.
  const std::int64_t repeated = 16 * (3 + 2) * llm.hidden + 16 * 2 * llm.hidden;
  const AdapterRoom eight = adapter_room(llm, {1, 1, 8, 1, 8}, spec);
  CHECK(eight.ranks[0].elements - one.ranks[0].elements == 7 * repeated * llm.layer_count());
  const AdapterRoom stages = adapter_room(llm, {4, 1, 1, 1, 1}, spec);
  CHECK(stages.ranks[0].elements == one.ranks[0].elements);
}

TEST_CASE(
    "adapters: slots come out of the room for keys and values, all of them out of the far tier") {
  for (const ParallelPlan& plan : kPlans) {
    const std::int64_t n = plan.stage_dies() * plan.pipeline;
    const AdapterSpec spec{.adapters = 7, .ranks = {4, 16}, .slots = 3};
    Bench plain{with_far(n), small_fp8(), plan};
    Bench bench{with_far(n), small_fp8(), plan, with_adapters(spec)};
    for (std::int64_t stage = 0; stage < plan.pipeline; ++stage) {
      const auto s = static_cast<std::size_t>(stage);
      const AdapterRoom& room = *bench.placement.adapters;
      const auto &before = plain.placement.kv.stages[s], &after = bench.placement.kv.stages[s];
      const double kv_share = PlacementPolicy{}.kv_share;
      CHECK(std::abs(static_cast<double>(before.room - after.room) -
                     kv_share * static_cast<double>(3 * room.slot_bytes(stage))) <= 1);
      // Ranks 4, 16, 4, 16, 4, 16, 4.
      const auto die = static_cast<std::size_t>(stage * plan.tensor);
      CHECK(before.far_room - after.far_room >=
            4 * room.ranks[0].bytes[die] + 3 * room.ranks[1].bytes[die]);
      CHECK(before.far_room - after.far_room <= 7 * room.slot_bytes(stage));
    }
    CHECK(plain.placement.weights == bench.placement.weights);
  }
}

TEST_CASE("adapters: more slots than the home tier has room for are refused") {
  const AdapterSpec spec{.adapters = 100'000, .slots = 100'000};
  CHECK_THROWS_AS((Bench{small_platform(1), small_dense(), {}, with_adapters(spec)}),
                  InfeasibleError);
}

TEST_CASE(
    "adapters: one on its way in is read behind the link and written at home by every replica") {
  for (const ParallelPlan& plan : kPlans) {
    const std::int64_t n = plan.stage_dies() * plan.pipeline;
    const AdapterSpec spec{.adapters = 4, .ranks = {4, 16}, .slots = 4};
    Bench bench{with_far(n), small_fp8(), plan, with_adapters(spec)};
    const AdapterRoom& room = *bench.placement.adapters;
    for (const bool beside : {false, true}) {
      StepLoad load = beside ? decode(3, 100, plan.data) : StepLoad{};
      load.adapters_in = {2, 3};
      load.moves = {{0, KvPlace::Far, KvPlace::Home, Bytes{5'000}}};
      const StepPrograms step = bench.lower(load);
      std::array<std::int64_t, kTierCount> read{}, written{};
      each_instruction(step, [&](std::size_t, auto, const Instruction& in) {
        if (in.category != TimeCategory::AdapterMove) return;
        (in.code == OpCode::Load ? read : written)[static_cast<std::size_t>(in.tier)] += in.amount;
      });
      const std::int64_t bytes =
          plan.data * (room.replica_bytes(0) + room.replica_bytes(1)).count();
      CHECK(read[kFar] == bytes);
      CHECK(written[kHbm] == bytes);
      CHECK(sum(read) == bytes);
      CHECK(sum(written) == bytes);
      CHECK(totals_of(step).adapters_in.count() == bytes);
    }
  }
}
