// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/partition.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace reticle {

std::string to_string(const ParallelPlan& p) {
  return "PP" + std::to_string(p.pipeline) + " DP" + std::to_string(p.data) + " TP" +
         std::to_string(p.tensor) + " EP" + std::to_string(p.expert) + " ETP" +
         std::to_string(p.expert_tensor) +
         (p.microbatches > 0 ? " MB" + std::to_string(p.microbatches) : "");
}

namespace {
std::int64_t cache_heads(const Mixer& mixer, std::int64_t tensor) {
  if (const auto* a = std::get_if<AttentionSpec>(&mixer.of)) return a->kv_heads;
  return std::holds_alternative<RecurrentSpec>(mixer.of) ? tensor : 1;
}

/// Most dies that the heads of every mixer can be dealt to.
std::int64_t most_tensor(const LlmSpec& llm) {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const Mixer& mixer : llm.mixers)
    most = std::min(most, std::visit([](const auto& spec) { return spec.heads; }, mixer.of));
  return most;
}
}  // namespace

AttentionShards attention_shards(const Mixer& mixer, const ParallelPlan& plan) {
  if (plan.latent_copies && std::holds_alternative<LatentAttentionSpec>(mixer.of))
    return {.heads = plan.tensor, .context = 1, .copies = true};
  const std::int64_t heads = std::gcd(plan.tensor, cache_heads(mixer, plan.tensor));
  return {.heads = heads, .context = plan.tensor / heads};
}

Matrix shard(const Matrix& m, std::int64_t parts, std::int64_t i) {
  Matrix part = m;
  if (m.cut == MatrixCut::Columns) part.n = m.blocks * share(m.n / m.blocks, parts, i);
  if (m.cut == MatrixCut::Rows) part.k = share(m.k, parts, i);
  if (m.cut == MatrixCut::Copies) part.copies = share(m.copies, parts, i);
  return part;
}

std::int64_t largest_shard(const Matrix& m, std::int64_t parts) {
  switch (m.cut) {
    case MatrixCut::Whole:
      return m.elements();
    case MatrixCut::Columns:
      return m.blocks * largest_share(m.n / m.blocks, parts) * m.k * m.copies;
    case MatrixCut::Rows:
      return largest_share(m.k, parts) * m.n * m.copies;
    case MatrixCut::Copies:
      return largest_share(m.copies, parts) * m.k * m.n;
  }
  return 0;
}

std::int64_t first_layer(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t stage) {
  return llm.layer_count() * stage / plan.pipeline;
}

namespace {
std::vector<std::int64_t> divisors(std::int64_t n) {
  std::vector<std::int64_t> found;
  for (std::int64_t d = 1; d <= n; ++d)
    if (n % d == 0) found.push_back(d);
  return found;
}
}  // namespace

std::vector<ParallelPlan> enumerate_plans(const LlmSpec& llm, std::int64_t dies) {
  std::vector<ParallelPlan> plans;
  for (const std::int64_t pipeline : divisors(dies)) {
    if (pipeline > llm.layer_count()) continue;
    const std::int64_t stage = dies / pipeline;
    for (const std::int64_t tensor : divisors(stage)) {
      if (tensor > most_tensor(llm)) continue;
      for (const std::int64_t expert : divisors(stage)) {
        if (llm.moe ? expert > llm.moe->experts : expert > 1) continue;
        plans.push_back({pipeline, stage / tensor, tensor, expert, stage / expert});
      }
    }
  }
  return plans;
}

}  // namespace reticle
