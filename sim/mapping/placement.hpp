// SPDX-License-Identifier: Apache-2.0
// What lives where: every weight shard in a tier of its die, the rest for the KV cache.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/base/cache_stage.hpp"
#include "sim/mapping/adapter_room.hpp"
#include "sim/mapping/expert_cache.hpp"
#include "sim/mapping/partition.hpp"
#include "sim/mapping/placement_policy.hpp"
#include "workloads/llm/llm_spec.hpp"
#include "workloads/moe/expert_router.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

struct WeightHome {
  Tier tier{};
  std::int64_t address = 0;  ///< of the die's shard
};

/// A second copy of a routed expert, which takes every other of its tokens.
struct ExpertCopy {
  std::int32_t group = 0;
  WeightHome home;
};

struct LayerHomes {
  std::array<WeightHome, kMatrixRoleCount> weights{};  ///< by MatrixRole
  std::vector<WeightHome> experts;                ///< per routed expert: all its matrices together
  std::vector<std::int32_t> groups;               ///< expert group of each
  std::vector<std::optional<ExpertCopy>> copies;  ///< by expert
};

/// Room for keys and values: pages of `page_tokens` tokens for layers that keep everything, cut
/// over the dies of a replica (and over the stages); windows and states beside them.
struct KvRoom {
  Tier tier{};
  std::int64_t page_tokens = 0;
  Bytes page_bytes{};      ///< of one page, all dies together
  std::int64_t pages = 0;  ///< per replica, in the fullest stage; sequences where no layer grows
  std::int64_t near_pages = 0;  ///< of these, in SRAM beside `tier`, which is HBM
  std::int64_t replicas = 1;
  std::int64_t dies = 1;           ///< per replica and stage
  std::vector<CacheStage> stages;  ///< per die
};

/// The tier that a place of keys and values is.
constexpr Tier tier_of(Tier home, KvPlace place) {
  constexpr ByPlace<Tier> kOf{{Tier::Sram, Tier::Hbm, Tier::Far, Tier::Flash}};
  return place == KvPlace::Home ? home : kOf[place];
}

/// Of `tokens` cached tokens of so many sequences of a replica those in SRAM.
inline std::int64_t near_tokens(const KvRoom& kv, std::int64_t tokens) {
  return std::min(tokens, kv.near_pages * kv.page_tokens);
}

/// Contexts that reports give the number of concurrent streams for.
inline constexpr std::array<std::int64_t, 4> kStreamContexts{4096, 32'768, 131'072, 1'048'576};
/// Streams of `context` tokens that fit at a time, all replicas together.
inline std::int64_t streams_that_fit(const KvRoom& kv, std::int64_t context) {
  return kv.replicas * sequences_that_fit(kv.stages, context);
}

/// Sequences of `llm` keep `other` beside `kv` from now on: the cache of a draft model on the same
/// dies.
void add_cache(const LlmSpec& llm, KvRoom& kv, const KvRoom& other);

/// SRAM beside HBM has whole blocks of so many tokens from now on, as a prefix block is in one
/// place. 0: any pages; so too where layers keep windows or states.
void round_near(const LlmSpec& llm, KvRoom& kv, std::int64_t block_tokens);

struct Placement {
  ParallelPlan plan;
  std::vector<LayerHomes> layers;
  WeightHome embedding, head;
  KvRoom kv;
  std::optional<AdapterRoom> adapters;  ///< their slots are in the tier of keys and values
  ExpertCachePolicy expert_cache = ExpertCachePolicy::Static;
  ExpertPrefetch expert_prefetch = ExpertPrefetch::None;
  /// [layer][expert group], what each caches when the run begins, hottest first; none if static.
  std::vector<std::vector<std::vector<CachedExpert>>> cached;
  std::array<Bytes, kTierCount> capacity{};  ///< of the deployment
  std::array<Bytes, kTierCount> weights{};   ///< of the deployment, replicas counted each time
  std::array<Bytes, kTierCount> reserved{};  ///< staging, activations, adapters
  bool rank_order = false;                   ///< as PlacementPolicy's
  std::int64_t invariant_rows = 0;           ///< likewise
  std::optional<double> sram_fraction_asked;
  double sram_fraction_expected = 0;  ///< of one token's active weight bytes, over routing
};

/// Bytes of one die's shard of a matrix of a layer, the largest in its group.
Bytes shard_bytes(const Matrix& matrix, const ParallelPlan& plan);
/// Bytes of one routed expert on one die of its group.
Bytes expert_shard_bytes(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t layer);
/// Chance that one token picks expert `e` of `layer`: top_k draws in proportion to popularity,
/// taken as independent (exact for uniform popularity and top_k = 1).
double pick_probability(const LlmSpec& llm, const ExpertRouter& router, std::int64_t layer,
                        std::int64_t expert);

/// Places `llm` under `plan`. Throws InfeasibleError saying how many bytes do not fit in which
/// tier. `router` is null for dense models. `max_tokens` = most tokens of one step (sizes the
/// activation buffers).
Placement place(const PlatformSpec& platform, const LlmSpec& llm, const ParallelPlan& plan,
                const PlacementPolicy& policy, const ExpertRouter* router, std::int64_t page_tokens,
                std::int64_t max_tokens);

/// What is to be held at a time.
struct Demand {
  std::int64_t sequences = 1;
  std::int64_t tokens = 1;        ///< of each
  std::int64_t page_tokens = 16;  ///< default: vLLM's block
  std::int64_t max_tokens = 1;    ///< most tokens of one step
};

/// Whether the deployment holds weights and that, under some plan.
bool holds(const PlatformSpec& platform, const LlmSpec& llm, const PlacementPolicy& policy,
           const ExpertRouter* router, const Demand& demand);

/// Searches for a size end here.
inline constexpr std::int64_t kMostDiesTried = 16'384;

/// The size tried after `nodes`: each up to 64, then steps of 3 %.
std::int64_t next_size(std::int64_t nodes);

/// The least number of nodes that do, of the sizes that are tried; nullopt when none of the 64 from
/// what the weights alone take on does.
std::optional<std::int64_t> smallest_nodes(PlatformSpec platform, const LlmSpec& llm,
                                           const PlacementPolicy& policy,
                                           const ExpertRouter* router, const Demand& demand);

/// As messages say it, "12.3 GB".
std::string gigabytes(Bytes bytes);

/// Bytes of all tiers that weights may be in, over the deployment.
Bytes weight_room(const PlatformSpec& platform, const PlacementPolicy& policy);

}  // namespace reticle
