// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/partition.hpp"

#include <numeric>

namespace reticle {

std::string to_string(const ParallelPlan& p) {
  return "PP" + std::to_string(p.pipeline) + " DP" + std::to_string(p.data) + " TP" +
         std::to_string(p.tensor) + " EP" + std::to_string(p.expert) + " ETP" +
         std::to_string(p.expert_tensor);
}

AttentionShards attention_shards(const LlmSpec& llm, const ParallelPlan& plan) {
  const std::int64_t heads = std::gcd(plan.tensor, llm.attention.kv_heads);
  return {.heads = heads, .context = plan.tensor / heads};
}

std::int64_t first_layer(const LlmSpec& llm, const ParallelPlan& plan, std::int64_t stage) {
  return llm.layers * stage / plan.pipeline;
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
    if (pipeline > llm.layers) continue;
    const std::int64_t stage = dies / pipeline;
    for (const std::int64_t tensor : divisors(stage)) {
      if (tensor > llm.attention.heads) continue;
      for (const std::int64_t expert : divisors(stage)) {
        if (llm.moe ? expert > llm.moe->experts : expert > 1) continue;
        plans.push_back({pipeline, stage / tensor, tensor, expert, stage / expert});
      }
    }
  }
  return plans;
}

}  // namespace reticle
