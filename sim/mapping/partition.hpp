// SPDX-License-Identifier: Apache-2.0
// How dies are grouped, and who holds which share of what.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "workloads/llm/layer_matrices.hpp"

namespace reticle {

/// Size of share `i` when `total` is dealt to `parts` as evenly as whole numbers allow.
constexpr std::int64_t share(std::int64_t total, std::int64_t parts, std::int64_t i) {
  return total * (i + 1) / parts - total * i / parts;
}
constexpr std::int64_t largest_share(std::int64_t total, std::int64_t parts) {
  return (total + parts - 1) / parts;
}

/// The dies form `pipeline` stages of consecutive layers. A stage is `data` replicas x `tensor`
/// dies for attention and dense layers, and `expert` groups x `expert_tensor` dies for routed
/// experts: the same dies, cut two ways. Dies of one replica, and of one expert group, are
/// neighbours by id.
struct ParallelPlan {
  std::int64_t pipeline = 1;
  std::int64_t data = 1;
  std::int64_t tensor = 1;
  std::int64_t expert = 1;
  std::int64_t expert_tensor = 1;
  std::int64_t microbatches = 0;  ///< of a step, at most; 0: as many as stages
  bool latent_copies = false;     ///< as PlacementPolicy::latent_cache

  [[nodiscard]] std::int64_t stage_dies() const { return data * tensor; }
  bool operator==(const ParallelPlan&) const = default;
};

std::string to_string(const ParallelPlan& plan);

/// Microbatches that a pipeline takes `sequences` in, so that its stages overlap; each reads the
/// weights anew. One stage takes them all at once.
constexpr std::int64_t microbatches(const ParallelPlan& plan, std::int64_t sequences) {
  const std::int64_t most =
      plan.pipeline > 1 && plan.microbatches > 0 ? plan.microbatches : plan.pipeline;
  return std::clamp<std::int64_t>(most, 1, std::max<std::int64_t>(1, sequences));
}

/// How attention is cut inside a replica: KV heads first, then the context (each KV-head shard's
/// cache is dealt page-wise to `context` dies, whose partial results are merged). Latent attention
/// has one cache for all heads: only the context is cut, or every die has a copy and its share of
/// the heads. Recurrences are cut by heads.
struct AttentionShards {
  std::int64_t heads = 1;    ///< shards of KV heads
  std::int64_t context = 1;  ///< dies per KV-head shard
  bool copies = false;       ///< heads are cut, the cache is not
  [[nodiscard]] std::int64_t cache_cuts() const { return copies ? 1 : heads * context; }
};
AttentionShards attention_shards(const Mixer& mixer, const ParallelPlan& plan);

/// The part of `m` that die `i` of `parts` has; Whole: all of it. Copies of experts are dealt to
/// groups before (ParallelPlan::expert): here one expert's matrix is cut.
Matrix shard(const Matrix& m, std::int64_t parts, std::int64_t i);
/// Elements of the largest shard.
std::int64_t largest_shard(const Matrix& m, std::int64_t parts);

/// First layer of `stage`; stage == pipeline gives the number of layers.
std::int64_t first_layer(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t stage);

/// All plans of `dies` dies that `llm` can be cut by.
std::vector<ParallelPlan> enumerate_plans(const LlmSpec& llm, std::int64_t dies);

}  // namespace reticle
