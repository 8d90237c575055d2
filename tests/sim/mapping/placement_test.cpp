// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/placement.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "sim/base/error.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kEveryDie = -1;

/// One thing that was placed, told from outside: the same on every die of a stage, or on those of
/// one expert group.
struct Block {
  WeightHome home;
  std::int64_t bytes = 0;  ///< per die
  std::int64_t stage = 0;
  std::int64_t group = kEveryDie;
  double heat = 1;
  std::int64_t dies = 0;
};

std::vector<Block> blocks_of(const Bench& bench) {
  const auto& [plan, layers] = std::tie(bench.placement.plan, bench.placement.layers);
  const LlmSpec& llm = bench.llm;
  std::vector<Block> blocks;
  for (std::int64_t stage = 0; stage < plan.pipeline; ++stage)
    for (auto l = first_layer(llm, plan, stage); l < first_layer(llm, plan, stage + 1); ++l) {
      const LayerHomes& homes = layers[static_cast<std::size_t>(l)];
      for (const Matrix& m : matrices_of(llm, l))
        if (!is_expert(m.role))
          blocks.push_back({homes.weights[static_cast<std::size_t>(m.role)],
                            shard_bytes(m, plan).count(), stage, kEveryDie, 1, plan.stage_dies()});
      for (std::size_t e = 0; e < homes.experts.size(); ++e) {
        const auto expert = static_cast<std::int64_t>(e);
        blocks.push_back({homes.experts[e], expert_shard_bytes(llm, plan, l).count(), stage,
                          expert * plan.expert / llm.moe->experts,
                          pick_probability(llm, *bench.router, l, expert), plan.expert_tensor});
      }
    }
  const auto table = [&](std::int64_t elements) {
    return bytes_of(elements, llm.embedding).count();
  };
  blocks.push_back({bench.placement.head,
                    table(largest_share(llm.vocabulary, plan.tensor) * llm.hidden),
                    plan.pipeline - 1, kEveryDie, 1, plan.stage_dies()});
  if (!(llm.tied_embeddings && plan.pipeline == 1))
    blocks.push_back({bench.placement.embedding,
                      table(llm.vocabulary * largest_share(llm.hidden, plan.tensor)), 0, kEveryDie,
                      1.0 / static_cast<double>(llm.vocabulary), plan.stage_dies()});
  std::erase_if(blocks, [](const Block& b) { return b.bytes == 0; });
  return blocks;
}

double weight_of(const Block& b) {
  return b.heat * static_cast<double>(b.bytes) * static_cast<double>(b.dies);
}

std::array<std::int64_t, kTierCount> bytes_by_tier(const std::vector<Block>& blocks) {
  std::array<std::int64_t, kTierCount> bytes{};
  for (const Block& b : blocks) bytes[static_cast<std::size_t>(b.home.tier)] += b.bytes * b.dies;
  return bytes;
}

PlacementPolicy with_fraction(double fraction) {
  PlacementPolicy policy;
  policy.sram_fraction = fraction;
  return policy;
}

/// SRAM large enough for everything, so that any fraction can be honoured.
PlatformSpec roomy(std::int64_t dies) {
  PlatformSpec p = small_platform(dies);
  p.die.sram.capacity = 256 * 1_MiB;
  return p;
}

std::string infeasible(const std::function<void()>& act) {
  try {
    act();
  } catch (const InfeasibleError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("place: no two blocks of a die share an address, and all lie inside their tier") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      const Bench bench{small_platform(8), llm, plan};
      const auto blocks = blocks_of(bench);
      std::int64_t overlaps = 0, outside = 0;
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Block& a = blocks[i];
        const auto tier = static_cast<std::size_t>(a.home.tier);
        const std::int64_t room = bench.placement.capacity[tier].count() / 8;
        outside += a.home.address < 0 || a.home.address + a.bytes > room;
        for (std::size_t j = 0; j < i; ++j) {
          const Block& b = blocks[j];
          const bool meet = a.home.tier == b.home.tier && a.stage == b.stage &&
                            (a.group == b.group || a.group == kEveryDie || b.group == kEveryDie);
          overlaps += meet && a.home.address < b.home.address + b.bytes &&
                      b.home.address < a.home.address + a.bytes;
        }
      }
      CHECK(overlaps == 0);
      CHECK(outside == 0);
    }
}

TEST_CASE("place: the weights of the tiers add up to the blocks placed, replicas counted") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      const Bench bench{small_platform(8), llm, plan};
      const auto expected = bytes_by_tier(blocks_of(bench));
      for (std::size_t t = 0; t < kTierCount; ++t)
        CHECK(bench.placement.weights[t].count() == expected[t]);
    }
}

TEST_CASE("place: on one die the weights are the model's bytes, norm gains aside") {
  for (const LlmSpec& llm : {small_dense(), small_moe()}) {
    CAPTURE(llm.name);
    const Bench bench{small_platform(1), llm, {}};
    const auto norms = bytes_of(count_parameters(llm).norms, Precision::Bf16);
    CHECK(sum(bench.placement.weights) == weight_bytes(llm).count() - norms.count());
  }
}

TEST_CASE("place: a cut that divides stores every weight once but the router and replicas") {
  const LlmSpec llm = small_moe();
  const Bytes norms = bytes_of(count_parameters(llm).norms, Precision::Bf16);
  const Bytes router = bytes_of(count_parameters(llm).router, Precision::Bf16);
  const std::int64_t experts = bytes_of(count_parameters(llm).routed_experts, llm.weights).count();
  const std::int64_t once = weight_bytes(llm).count() - norms.count() - router.count();
  for (const ParallelPlan& plan : {ParallelPlan{1, 1, 8, 1, 8}, ParallelPlan{1, 1, 8, 8, 1},
                                   ParallelPlan{2, 1, 4, 2, 2}, ParallelPlan{1, 4, 2, 4, 2}}) {
    CAPTURE(to_string(plan));
    const Bench bench{small_platform(8), llm, plan};
    CHECK(sum(bench.placement.weights) ==
          (once - experts) * plan.data + experts + router.count() * plan.stage_dies());
  }
}

TEST_CASE("place: tied embeddings are stored once, but twice when stages part them") {
  LlmSpec llm = small_dense();
  const std::int64_t table = bytes_of(llm.vocabulary * llm.hidden, llm.embedding).count();
  const Bench apart{small_platform(2), llm, {.tensor = 2}};
  llm.tied_embeddings = true;
  const Bench tied{small_platform(2), llm, {.tensor = 2}};
  const Bench stages{small_platform(2), llm, {.pipeline = 2}};
  CHECK(sum(tied.placement.weights) == sum(apart.placement.weights) - table);
  CHECK(sum(stages.placement.weights) == sum(apart.placement.weights));
  CHECK(tied.placement.embedding.address == tied.placement.head.address);
  CHECK(tied.placement.embedding.tier == tied.placement.head.tier);
}

TEST_CASE("place: an asked SRAM fraction is met to within one block") {
  for (const ParallelPlan& plan :
       {ParallelPlan{1, 1, 8, 1, 8}, ParallelPlan{1, 1, 8, 8, 1}, ParallelPlan{2, 2, 2, 4, 1}})
    for (const double asked : {0.0, 0.1, 0.5, 0.9, 1.0}) {
      CAPTURE(to_string(plan));
      CAPTURE(asked);
      const Bench bench{roomy(8), small_moe(), plan, with_fraction(asked)};
      double active = 0, hit = 0, largest = 0;
      for (const Block& b : blocks_of(bench)) {
        active += weight_of(b);
        if (b.home.tier == Tier::Sram) hit += weight_of(b);
        largest = std::max(largest, weight_of(b));
      }
      CHECK(bench.placement.sram_fraction_expected == doctest::Approx(hit / active));
      // Every stage stops by itself, so a block each.
      const double slack = static_cast<double>(plan.pipeline) * largest / active;
      CHECK(bench.placement.sram_fraction_expected >= asked - 1e-6);
      CHECK(bench.placement.sram_fraction_expected <= asked + slack);
      CHECK(bench.placement.sram_fraction_asked == asked);
    }
}

TEST_CASE("place: fraction 0 leaves SRAM empty and fraction 1 leaves HBM empty") {
  const Bench none{roomy(4), small_moe(), {.tensor = 4, .expert_tensor = 4}, with_fraction(0)};
  CHECK(none.placement.weights[0] == Bytes{0});
  CHECK(none.placement.sram_fraction_expected == 0.0);
  const Bench all{roomy(4), small_moe(), {.tensor = 4, .expert_tensor = 4}, with_fraction(1)};
  CHECK(all.placement.weights[1] == Bytes{0});
  CHECK(all.placement.sram_fraction_expected == doctest::Approx(1.0));
}

TEST_CASE("place: what lies in SRAM is at least as hot as what does not") {
  for (const double asked : {0.3, 0.5, 0.7, 0.9}) {
    CAPTURE(asked);
    const Bench bench{
        roomy(8), small_moe(), {.tensor = 8, .expert_tensor = 8}, with_fraction(asked)};
    double coldest_in = 1, hottest_out = 0;
    for (const Block& b : blocks_of(bench))
      if (b.home.tier == Tier::Sram)
        coldest_in = std::min(coldest_in, b.heat);
      else
        hottest_out = std::max(hottest_out, b.heat);
    CHECK(coldest_in >= hottest_out);
    CHECK(hottest_out > 0);
  }
}

TEST_CASE("place: without an asked fraction SRAM takes the hottest that fit") {
  PlatformSpec p = small_platform(1);
  p.die.sram.capacity = 2 * 1_MiB;
  const Bench bench{p, small_moe(), {}};
  const double expected = bench.placement.sram_fraction_expected;
  CHECK(expected > 0);
  CHECK(expected < 1);
  p.die.sram.capacity = 3 * 1_MiB;
  CHECK(Bench{p, small_moe(), {}}.placement.sram_fraction_expected > expected);
  // Experts are of one size: a colder one never displaces a hotter one.
  double coldest_in = 1, hottest_out = 0;
  for (const Block& b : blocks_of(bench)) {
    if (b.group == kEveryDie) continue;
    (b.home.tier == Tier::Sram ? coldest_in = std::min(coldest_in, b.heat)
                               : hottest_out = std::max(hottest_out, b.heat));
  }
  CHECK(coldest_in >= hottest_out);
}

TEST_CASE("place: weights and KV pages and what is reserved fit the tiers") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const ParallelPlan& plan : enumerate_plans(llm, 8)) {
      CAPTURE(llm.name);
      CAPTURE(to_string(plan));
      PlacementPolicy all_free_space;
      all_free_space.kv_share = 1.0;
      PlatformSpec platform = small_platform(8);
      platform.die.sram.capacity = 256_KiB;  // weights and pages share HBM
      const Bench bench{platform, llm, plan, all_free_space};
      const Placement& p = bench.placement;
      const auto kv = static_cast<std::size_t>(p.kv.tier);
      CHECK(p.kv.pages > 0);
      CHECK(p.kv.replicas == plan.data);
      CHECK(p.kv.page_bytes.count() >= kPage * kv_bytes_per_token(llm).count());
      for (std::size_t t = 0; t < kTierCount; ++t) {
        std::int64_t used = p.weights[t].count() + p.reserved[t].count();
        if (t == kv) used += p.kv.replicas * p.kv.pages * p.kv.page_bytes.count();
        CHECK(used <= p.capacity[t].count());
      }
    }
}

TEST_CASE("place: pages use the share of the free space that the policy gives them") {
  PlacementPolicy half;
  half.kv_share = 0.5;
  PlacementPolicy whole;
  whole.kv_share = 1.0;
  const Bench a{small_platform(1), small_dense(), {}, half};
  const Bench b{small_platform(1), small_dense(), {}, whole};
  CHECK(2 * a.placement.kv.pages <= b.placement.kv.pages);
  CHECK(b.placement.kv.pages <= 2 * a.placement.kv.pages + 1);
}

TEST_CASE("place: what does not fit is told in bytes and tier") {
  PlatformSpec p = small_platform(1);
  const LlmSpec llm = small_dense();
  p.die.hbm->capacity_per_stack = Bytes{1'000'000};
  const auto placed = [&](const PlacementPolicy& policy) {
    return infeasible([&] { (void)place(p, llm, {}, policy, nullptr, kPage, 64); });
  };
  const std::string hbm = placed(with_fraction(0));
  CHECK(contains(hbm, "GB of weights do not fit in hbm"));
  const std::string sram = placed(with_fraction(1));
  CHECK(contains(sram, "GB of weights do not fit in sram"));

  PlatformSpec only_sram = small_platform(1);
  only_sram.die.hbm.reset();
  const std::string alone =
      infeasible([&] { (void)place(only_sram, llm, {}, {}, nullptr, kPage, 64); });
  CHECK(contains(alone, "GB of weights do not fit in sram"));
}

TEST_CASE("place: the missing bytes are the ones that have no place") {
  PlatformSpec p = small_platform(1);
  const LlmSpec llm = small_dense();
  p.die.hbm->capacity_per_stack = Bytes{1'000};  // nothing fits
  const std::string text =
      infeasible([&] { (void)place(p, llm, {}, with_fraction(0), nullptr, kPage, 64); });
  const double missing = std::stod(text) * 1e9;
  const Bytes norms = bytes_of(count_parameters(llm).norms, Precision::Bf16);
  CHECK(missing == doctest::Approx(static_cast<double>(weight_bytes(llm).count() - norms.count()))
                       .epsilon(1e-3));
}

TEST_CASE("place: far weights are used only when allowed and only as the last resort") {
  PlatformSpec p = small_platform(1);
  p.die.sram.capacity = 256_KiB;
  p.die.hbm->capacity_per_stack = Bytes{2'500'000};
  LinkedMemoryParams far;
  far.capacity = 1_GB;
  far.device.rate = far.link.rate = 64_GBps;
  p.die.far = far;
  PlacementPolicy policy;
  policy.sram_fraction = 0.0;
  const LlmSpec moe = small_moe();
  const ExpertRouter router{moe, kSeed};
  CHECK(contains(infeasible([&] { (void)place(p, moe, {}, policy, &router, kPage, 8); }),
                 "do not fit in hbm"));
  policy.far_weights = true;
  const Placement placed = place(p, moe, {}, policy, &router, kPage, 8);
  CHECK(placed.weights[2] > Bytes{0});
  CHECK(placed.weights[1] > Bytes{0});
}

namespace {
constexpr Demand kDemand{.sequences = 1, .tokens = 1, .page_tokens = kPage, .max_tokens = 8};
}  // namespace

TEST_CASE("smallest_nodes: that many nodes fit and one fewer does not") {
  const LlmSpec llm = small_dense();
  for (const std::int64_t hbm : {2'000'000, 3'000'000, 4'000'000}) {
    CAPTURE(hbm);
    PlatformSpec p = small_platform(2);
    p.die.sram.capacity = 256_KiB;
    p.die.hbm->capacity_per_stack = Bytes{hbm};
    const auto nodes = smallest_nodes(p, llm, {}, nullptr, kDemand);
    REQUIRE(nodes.has_value());
    CHECK(*nodes > 1);
    const auto any_plan_fits = [&](std::int64_t n) {
      p.nodes = n;
      for (const ParallelPlan& plan : enumerate_plans(llm, dies(p)))
        if (infeasible([&] { (void)place(p, llm, plan, {}, nullptr, kPage, 8); }) == "no error")
          return true;
      return false;
    };
    CHECK(any_plan_fits(*nodes));
    CHECK(!any_plan_fits(*nodes - 1));
  }
}

TEST_CASE("smallest_nodes: none when a die has no room for what every die needs") {
  PlatformSpec p = small_platform(1);
  p.die.sram.capacity = 1_KiB;
  p.die.hbm->capacity_per_stack = Bytes{1'000};
  CHECK(smallest_nodes(p, small_dense(), {}, nullptr, kDemand) == std::nullopt);
}
