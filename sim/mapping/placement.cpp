// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/placement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <sstream>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/mapping/expert_groups.hpp"
#include "sim/mapping/whole_cache.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {

constexpr auto kSram = static_cast<std::size_t>(Tier::Sram);
constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
constexpr auto kFar = static_cast<std::size_t>(Tier::Far);
constexpr std::array<const char*, kTierCount> kTierNames{"sram", "hbm", "far", "flash"};

std::array<std::int64_t, kTierCount> capacity_per_die(const PlatformSpec& platform) {
  return {platform.die.sram.capacity.count(),
          platform.die.hbm ? capacity(*platform.die.hbm).count() : 0,
          platform.die.far ? platform.die.far->capacity.count() : 0,
          platform.die.flash ? platform.die.flash->capacity.count() : 0};
}

/// Fills the tiers of the dies of one stage; all its dies carry the same layers.
class StagePlacer {
 public:
  StagePlacer(const PlatformSpec& platform, const LlmSpec& llm, const ParallelPlan& plan,
              const PlacementPolicy& policy, const ExpertRouter* router, std::int64_t max_tokens,
              std::int64_t stage, Placement& out)
      : llm_{llm},
        plan_{plan},
        policy_{policy},
        router_{router},
        out_{out},
        stage_{stage},
        first_{first_layer(llm, plan, stage)},
        last_{first_layer(llm, plan, stage + 1)} {
    slots_.resize(static_cast<std::size_t>(plan.expert));
    total_ = capacity_per_die(platform);
    free_ = total_;
    reserve(platform, max_tokens);
  }

  void run() {
    list_blocks();
    fill_sram();
    fill_caches();
    fill_rest();
    account();
  }

  [[nodiscard]] std::int64_t kv_free(Tier tier) const {
    return free_[static_cast<std::size_t>(tier)];
  }
  [[nodiscard]] double active() const { return active_; }
  [[nodiscard]] double hit() const { return hit_; }

 private:
  /// One thing to place: the same shard on every die of the stage, or on those of one expert group.
  struct Block {
    std::int64_t bytes;  ///< per die
    double heat;         ///< chance that a token needs it
    std::int64_t group;  ///< expert group, -1 = every die
    WeightHome* home;
    std::int32_t layer = 0, expert = 0;  ///< of routed experts
  };

  void reserve(const PlatformSpec& platform, std::int64_t max_tokens) {
    take(kSram, platform.die.sequencer.staging.count());
    for (std::size_t t = 0; t < kTierCount; ++t) take(t, policy_.taken[t]);
    // Residual stream in BF16 and one working copy at activation precision, for all tokens of a
    // step. They stay on chip where they leave half of it free, else in the next tier.
    const std::int64_t activations = bytes_of(max_tokens * llm_.hidden, Precision::Bf16).count() +
                                     bytes_of(max_tokens * llm_.hidden, llm_.activations).count();
    const bool on_chip = activations * 2 <= free_[kSram] || free_[kHbm] == 0;
    take(on_chip ? kSram : kHbm, activations);
    if (!out_.adapters) return;
    take(static_cast<std::size_t>(out_.kv.tier),
         out_.adapters->spec.slots * out_.adapters->slot_bytes(stage_));
    if (total_[kFar] > 0) take(kFar, out_.adapters->all_bytes(stage_));
  }

  void take(std::size_t tier, std::int64_t bytes) {
    free_[tier] -= bytes;
    out_.reserved[tier] += Bytes{bytes * plan_.stage_dies()};
    if (free_[tier] < 0)
      throw InfeasibleError("staging, activation buffers, adapters and what else is there need " +
                            gigabytes(Bytes{-free_[tier]}) + " more " + kTierNames[tier] +
                            " per die");
  }

  void list_blocks() {
    for (std::int64_t layer = first_; layer < last_; ++layer) {
      auto& homes = out_.layers[static_cast<std::size_t>(layer)];
      for (const Matrix& matrix : matrices_of(llm_, layer)) {
        if (is_expert(matrix.role)) continue;
        blocks_.push_back({shard_bytes(matrix, plan_).count(), 1.0, -1,
                           &homes.weights[static_cast<std::size_t>(matrix.role)]});
      }
    }
    if (stage_ + 1 == plan_.pipeline) {
      const std::int64_t head = largest_share(llm_.vocabulary, plan_.tensor) * llm_.hidden;
      blocks_.push_back({bytes_of(head, llm_.embedding).count(), 1.0, -1, &out_.head});
    }
    for (std::int64_t layer = first_; layer < last_; ++layer)
      if (llm_.layer_is_moe(layer)) list_experts(layer);
    if (stage_ == 0 && !(llm_.tied_embeddings && plan_.pipeline == 1)) {
      const std::int64_t table = llm_.vocabulary * largest_share(llm_.hidden, plan_.tensor);
      blocks_.push_back({bytes_of(table, llm_.embedding).count(),
                         1.0 / static_cast<double>(llm_.vocabulary), -1, &out_.embedding});
    }
    std::stable_sort(blocks_.begin(), blocks_.end(),
                     [](const Block& a, const Block& b) { return a.heat > b.heat; });
    for (const Block& b : blocks_) active_ += weight_of(b);
  }

  void list_experts(std::int64_t layer) {
    const auto experts = static_cast<std::size_t>(llm_.moe->experts);
    std::vector<double> heat;
    for (std::size_t e = 0; e < experts; ++e)
      heat.push_back(pick_probability(llm_, *router_, layer, static_cast<std::int64_t>(e)));
    const ExpertGroups dealt =
        deal_experts(heat, plan_.expert, policy_.expert_balance, policy_.redundant_experts);
    auto& homes = out_.layers[static_cast<std::size_t>(layer)];
    homes.experts.resize(experts);
    homes.copies.resize(experts);
    homes.groups = dealt.home;
    const std::int64_t bytes = expert_shard_bytes(llm_, plan_, layer).count();
    const auto list = [&](std::size_t e, double tokens, std::int32_t group, WeightHome& home) {
      blocks_.push_back({bytes, tokens, group, &home, static_cast<std::int32_t>(layer),
                         static_cast<std::int32_t>(e)});
    };
    for (std::size_t e = 0; e < experts; ++e) {
      const std::optional<std::int32_t> second = dealt.copy[e];
      list(e, second ? heat[e] / 2 : heat[e], dealt.home[e], homes.experts[e]);
      if (!second) continue;
      homes.copies[e] = ExpertCopy{*second, {}};
      list(e, heat[e] / 2, *second, homes.copies[e]->home);
    }
  }

  /// Expected active bytes per token, summed over the dies of the stage.
  [[nodiscard]] double weight_of(const Block& b) const {
    const double dies = static_cast<double>(b.group < 0 ? plan_.stage_dies() : plan_.expert_tensor);
    return b.heat * static_cast<double>(b.bytes) * dies;
  }

  /// Free bytes of the dies of `group` (every group when -1) in `tier`.
  [[nodiscard]] std::int64_t room(std::size_t tier, std::int64_t group) const {
    const auto& used = used_[tier];
    std::int64_t most = 0;
    if (group >= 0) {
      most = used.empty() ? 0 : used[static_cast<std::size_t>(group)];
    } else {
      for (const std::int64_t u : used) most = std::max(most, u);
    }
    return free_[tier] - shared_used_[tier] - most;
  }

  void put(std::size_t tier, const Block& b) {
    b.home->tier = static_cast<Tier>(tier);
    auto& used = used_[tier];
    used.resize(static_cast<std::size_t>(plan_.expert));
    if (b.group < 0) {
      // Behind the fullest group, at the same address on every die; what groups have placed stays.
      const std::int64_t most = *std::max_element(used.begin(), used.end());
      std::fill(used.begin(), used.end(), 0);
      b.home->address = shared_used_[tier] + most;
      shared_used_[tier] += most + b.bytes;
    } else {
      auto& mine = used[static_cast<std::size_t>(b.group)];
      b.home->address = shared_used_[tier] + mine;
      mine += b.bytes;
    }
    const std::int64_t dies = b.group < 0 ? plan_.stage_dies() : plan_.expert_tensor;
    out_.weights[tier] += Bytes{b.bytes * dies};
  }

  void fill_sram() {
    const double target = policy_.sram_fraction.value_or(1.0) * active_;
    if (policy_.sram_expert_share) {
      fill_sram(*policy_.sram_expert_share * target, true);
      fill_sram(target, false);
    } else {
      fill_sram(target, std::nullopt);
    }
  }

  /// Hottest first until `target` expected active bytes are there; `routed`: of routed experts or
  /// of all the others alone.
  void fill_sram(double target, std::optional<bool> routed) {
    const bool only_sram = total_[kHbm] == 0 && !(policy_.far_weights && total_[kFar] > 0);
    std::int64_t missing = 0;
    for (Block& b : blocks_) {
      if (routed && *routed != (b.group >= 0)) continue;
      // Half a byte of slack: a fraction of exactly 1 must not fail on rounding.
      constexpr double kSlack = 0.5;  // bytes, against rounding
      if (hit_ + missing_heat_ >= target - kSlack && !(only_sram && !policy_.sram_fraction)) break;
      if (room(kSram, b.group) >= b.bytes) {
        put(kSram, b);
        hit_ += weight_of(b);
        if (cached(b))
          slots_[static_cast<std::size_t>(b.group)].push_back(b.home->address);
        else
          b.bytes = 0;
      } else if (policy_.sram_fraction || only_sram) {
        const std::int64_t dies = b.group < 0 ? plan_.stage_dies() : plan_.expert_tensor;
        missing += b.bytes * dies;
        missing_heat_ += weight_of(b);
      }
    }
    if (missing > 0)
      throw InfeasibleError(gigabytes(Bytes{missing}) + " of weights do not fit in sram");
  }

  /// Whether SRAM has it in turn with others; a copy stays in a tier below.
  [[nodiscard]] bool cached(const Block& b) const {
    return b.group >= 0 && policy_.expert_cache != ExpertCachePolicy::Static;
  }

  /// Deals the room for cached experts evenly to the layers; each begins with its hottest.
  void fill_caches() {
    if (policy_.expert_cache == ExpertCachePolicy::Static) return;
    for (auto layer = first_; layer < last_; ++layer)
      if (llm_.layer_is_moe(layer))
        out_.cached[static_cast<std::size_t>(layer)].resize(static_cast<std::size_t>(plan_.expert));
    std::vector<std::vector<std::vector<std::int32_t>>> hottest(  // [group][layer of the stage]
        static_cast<std::size_t>(plan_.expert));
    for (auto& layers : hottest) layers.resize(static_cast<std::size_t>(last_ - first_));
    for (const Block& b : blocks_)
      if (b.group >= 0)
        hottest[static_cast<std::size_t>(b.group)][static_cast<std::size_t>(b.layer - first_)]
            .push_back(b.expert);
    for (std::size_t group = 0; group < slots_.size(); ++group) {
      const std::vector<std::int64_t>& slots = slots_[group];
      for (std::size_t next = 0, turn = 0; next < slots.size(); ++turn)
        for (std::size_t l = 0; l < hottest[group].size() && next < slots.size(); ++l) {
          if (turn >= hottest[group][l].size()) continue;
          out_.cached[static_cast<std::size_t>(first_) + l][group].push_back(
              {hottest[group][l][turn], slots[next++]});
        }
    }
  }

  void fill_rest() {
    std::int64_t missing = 0;
    for (const Block& b : blocks_) {
      if (b.bytes == 0) continue;
      if (room(kHbm, b.group) >= b.bytes) {
        put(kHbm, b);
      } else if (policy_.far_weights && room(kFar, b.group) >= b.bytes) {
        put(kFar, b);
      } else {
        missing += b.bytes * (b.group < 0 ? plan_.stage_dies() : plan_.expert_tensor);
      }
    }
    if (missing > 0)
      throw InfeasibleError(gigabytes(Bytes{missing}) + " of weights do not fit in " +
                            (total_[kHbm] > 0 ? "hbm"
                                              : "any tier (placement.sram_fraction "
                                                "leaves them outside sram)"));
  }

  void account() {
    for (std::size_t t = 0; t < kTierCount; ++t) free_[t] = room(t, -1);
  }

  const LlmSpec& llm_;
  const ParallelPlan& plan_;
  const PlacementPolicy& policy_;
  const ExpertRouter* router_;
  Placement& out_;
  const std::int64_t stage_, first_, last_;
  std::array<std::int64_t, kTierCount> total_{}, free_{}, shared_used_{};
  std::array<std::vector<std::int64_t>, kTierCount> used_;  ///< per expert group
  std::vector<Block> blocks_;
  std::vector<std::vector<std::int64_t>> slots_;  ///< [expert group] addresses for cached experts
  double active_ = 0, hit_ = 0, missing_heat_ = 0;
};

CacheStage stage_cache(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t page_tokens,
                       std::int64_t stage, std::int64_t room) {
  CacheStage out{.page_tokens = page_tokens, .room = room};
  std::int64_t page = 0;  // elements
  Bytes state{};
  for (auto layer = first_layer(llm, plan, stage); layer < first_layer(llm, plan, stage + 1);
       ++layer) {
    const Mixer* mixer = llm.mixer_of(layer);
    if (mixer == nullptr) continue;
    state += bytes_of(div_up(state_elements(*mixer), plan.tensor), llm.state);
    const std::int64_t elements = cache_elements(*mixer);
    if (elements == 0) continue;
    const std::int64_t cuts = attention_shards(*mixer, plan).cache_cuts();
    if (keeps_all(llm, *mixer)) {
      page += div_up(elements * page_tokens, cuts);
    } else {
      out.windows.push_back(
          {held_tokens(*mixer, llm.max_context), bytes_of(div_up(elements, cuts), llm.kv).count()});
    }
  }
  out.page = bytes_of(page, llm.kv).count();
  out.state = state.count();
  return out;
}

void size_pages(const LlmSpec& llm, KvRoom& kv) {
  kv.page_bytes = Bytes{};
  kv.pages = std::numeric_limits<std::int64_t>::max();
  for (const CacheStage& stage : kv.stages) {
    kv.page_bytes += Bytes{stage.page * kv.dies};
    if (stage.page > 0) kv.pages = std::min(kv.pages, stage.room / stage.page);
  }
  if (kv.page_bytes.count() == 0) kv.pages = sequences_that_fit(kv.stages, llm.max_context);
  kv.near_pages = near_pages(kv.stages);
  kv.pages += kv.near_pages;
}

}  // namespace

Bytes shard_bytes(const Matrix& matrix, const ParallelPlan& plan) {
  return bytes_of(largest_shard(matrix, plan.tensor), matrix.precision);
}

Bytes expert_shard_bytes(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t layer) {
  std::int64_t elements = 0;
  for (Matrix m : matrices_of(llm, layer)) {
    if (!is_expert(m.role)) continue;
    m.copies = 1;
    elements += largest_shard(m, plan.expert_tensor);
  }
  return bytes_of(elements, llm.weights);
}

double pick_probability(const LlmSpec& llm, const ExpertRouter& router, std::int64_t layer,
                        std::int64_t expert) {
  const double p = router.popularity(layer)[static_cast<std::size_t>(expert)];
  return std::min(1.0, static_cast<double>(llm.moe->top_k) * p);
}

void add_cache(const LlmSpec& llm, KvRoom& kv, const KvRoom& other) {
  const std::size_t common = std::min(kv.stages.size(), other.stages.size());
  for (std::size_t s = 0; s < common; ++s) {
    CacheStage& stage = kv.stages[s];
    const CacheStage& more = other.stages[s];
    stage.page += more.page;
    stage.windows.insert(stage.windows.end(), more.windows.begin(), more.windows.end());
    stage.state += more.state;
  }
  size_pages(llm, kv);
}

void round_near(const LlmSpec& llm, KvRoom& kv, std::int64_t block_tokens) {
  const auto pages_alone = [](const CacheStage& s) { return s.windows.empty() && s.state == 0; };
  if (block_tokens == 0 || !std::ranges::all_of(kv.stages, pages_alone)) return;
  const std::int64_t of_block = block_tokens / kv.page_tokens;
  const std::int64_t pages = near_pages(kv.stages) / of_block * of_block;
  for (CacheStage& stage : kv.stages) stage.near_room = pages * stage.page;
  size_pages(llm, kv);
}

Placement place(const PlatformSpec& platform, const LlmSpec& llm, const ParallelPlan& plan,
                const PlacementPolicy& policy, const ExpertRouter* router, std::int64_t page_tokens,
                std::int64_t max_tokens) {
  Placement out;
  out.plan = plan;
  out.layers.resize(llm.layers.size());
  out.rank_order = policy.rank_order;
  out.invariant_rows = policy.invariant_rows;
  out.sram_fraction_asked = policy.sram_fraction;
  out.expert_cache = policy.expert_cache;
  out.expert_prefetch = policy.expert_prefetch;
  out.cached.resize(out.layers.size());
  const auto capacity = capacity_per_die(platform);
  const std::int64_t dies = plan.stage_dies() * plan.pipeline;
  for (std::size_t t = 0; t < kTierCount; ++t) out.capacity[t] = Bytes{capacity[t] * dies};

  if (policy.adapters) out.adapters = adapter_room(llm, plan, *policy.adapters);
  out.kv.tier = capacity[kHbm] > 0 ? Tier::Hbm : Tier::Sram;
  out.kv.page_tokens = page_tokens;
  out.kv.replicas = plan.data;
  out.kv.dies = plan.tensor;
  double active = 0, hit = 0;
  for (std::int64_t stage = 0; stage < plan.pipeline; ++stage) {
    StagePlacer placer{platform, llm, plan, policy, router, max_tokens, stage, out};
    placer.run();
    active += placer.active();
    hit += placer.hit();
    const auto room = static_cast<std::int64_t>(
        std::floor(static_cast<double>(placer.kv_free(out.kv.tier)) * policy.kv_share));
    out.kv.stages.push_back(stage_cache(llm, plan, page_tokens, stage, room));
    if (out.kv.tier == Tier::Hbm)
      out.kv.stages.back().near_room = static_cast<std::int64_t>(
          static_cast<double>(placer.kv_free(Tier::Sram)) * policy.kv_sram_share);
    out.kv.stages.back().far_room = placer.kv_free(Tier::Far);
    out.kv.stages.back().flash_room = placer.kv_free(Tier::Flash);
  }
  size_pages(llm, out.kv);
  out.sram_fraction_expected = active > 0 ? hit / active : 0;
  if (llm.tied_embeddings && plan.pipeline == 1) out.embedding = out.head;
  if (sequences_that_fit(out.kv.stages, 1) < 1)
    throw InfeasibleError("no room for key/value pages in " +
                          std::string{kTierNames[static_cast<std::size_t>(out.kv.tier)]} +
                          " after the weights");
  return out;
}

CacheStage whole_cache(const LlmSpec& llm, std::int64_t page_tokens) {
  return stage_cache(llm, {}, page_tokens, 0, 0);
}

bool holds(const PlatformSpec& platform, const LlmSpec& llm, const PlacementPolicy& policy,
           const ExpertRouter* router, const Demand& demand) {
  for (ParallelPlan plan : enumerate_plans(llm, dies(platform))) {
    plan.latent_copies = policy.latent_cache == LatentCache::Copied;
    if (plan.data > std::max<std::int64_t>(1, demand.sequences)) continue;
    try {
      const Placement placement =
          place(platform, llm, plan, policy, router, demand.page_tokens, demand.max_tokens);
      if (sequences_that_fit(placement.kv.stages, demand.tokens) >=
          div_up(demand.sequences, plan.data))
        return true;
    } catch (const InfeasibleError&) {
    }
  }
  return false;
}

/// The next size that is tried: what is found is at most 3 % above the smallest.
std::int64_t next_size(std::int64_t nodes) {
  // Steps of 1/32, the 3 % above.
  constexpr std::int64_t kFineness = 32;
  return nodes + std::max<std::int64_t>(1, nodes / kFineness);
}

std::optional<std::int64_t> smallest_nodes(PlatformSpec platform, const LlmSpec& llm,
                                           const PlacementPolicy& policy,
                                           const ExpertRouter* router, const Demand& demand) {
  constexpr int kMostTried = 64;  // sizes: beyond, nobody would wait for the advice
  const std::int64_t of_node_dies = dies(platform) / platform.nodes;
  const std::int64_t of_node = weight_room(platform, policy).count() / platform.nodes;
  // No cut makes the cache smaller than whole: fewer nodes need not be tried.
  const std::int64_t of_sequence = whole_cache(llm, demand.page_tokens).booked(demand.tokens);
  platform.nodes = std::max({std::int64_t{1}, weight_bytes(llm).count() / of_node,
                             mul_div_up(std::max<std::int64_t>(1, demand.sequences), of_sequence,
                                        std::max<std::int64_t>(1, of_node))});
  if (platform.nodes > kMostDiesTried) return std::nullopt;
  for (int tried = 0; tried < kMostTried && platform.nodes * of_node_dies <= kMostDiesTried;
       ++tried, platform.nodes = next_size(platform.nodes))
    if (holds(platform, llm, policy, router, demand)) return platform.nodes;
  return std::nullopt;
}

std::string gigabytes(Bytes bytes) {
  std::ostringstream text;
  text.precision(4);
  text << static_cast<double>(bytes.count()) * 1e-9 << " GB";
  return text.str();
}

Bytes weight_room(const PlatformSpec& platform, const PlacementPolicy& policy) {
  const DieParams& die = platform.die;
  Bytes room = die.sram.capacity;
  if (die.hbm) room += capacity(*die.hbm);
  if (die.far && policy.far_weights) room += die.far->capacity;
  return dies(platform) * room;
}

}  // namespace reticle
