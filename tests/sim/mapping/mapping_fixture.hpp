// SPDX-License-Identifier: Apache-2.0
// Machines and models small enough to enumerate, and sums over what lowering wrote.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/mapping/lowering.hpp"
#include "sim/mapping/placement.hpp"
#include "sim/mapping/roofline.hpp"
#include "workloads/llm/llm_spec.hpp"
#include "workloads/moe/expert_router.hpp"

namespace reticle::test {

using namespace literals;

inline constexpr std::int64_t kPage = 16;
inline constexpr std::uint64_t kSeed = 7;

/// 1 GB of HBM at 512 GB/s and 4 MiB of SRAM at 8 TB/s per die.
inline DieParams small_die() {
  DieParams die;
  die.sequencer.staging = 64_KiB;
  die.sequencer.load_tile = 32_KiB;
  die.sram = {.capacity = 4 * 1_MiB,
              .banks = 128,
              .width = 64_B,
              .ports = 1,
              .clock = 1000_MHz,
              .latency = 4_cycles,
              .interleave = 64_B};
  HbmParams hbm;
  hbm.stacks = 1;
  hbm.capacity_per_stack = 1_GB;
  hbm.pseudo_channels = 16;
  hbm.burst = 32_B;
  hbm.timing.t_burst = 1_ns;
  die.hbm = hbm;
  die.mac = {.arrays = 16, .rows = 16, .cols = 16, .clock = 1000_MHz, .cycles_per_pass = {}};
  die.mac.cycles_per_pass.fill(1);
  die.vector = {.lanes = 256, .clock = 1000_MHz, .latency = 20_cycles};
  return die;
}

inline FabricLevel small_level(TopologyKind kind, std::int64_t width, BytesPerSecond rate,
                               Picoseconds latency) {
  FabricLevel level;
  level.kind = kind;
  level.width = width;
  level.link = {.rate = rate, .latency = latency, .buffer = 1_MiB};
  level.router_latency = 5_ns;
  return level;
}

/// `packages` packages of `per_package` dies, fully connected inside, a switch between them.
inline PlatformSpec small_platform(std::int64_t per_package, std::int64_t packages = 1) {
  PlatformSpec p;
  p.name = "small";
  p.dies_per_package = per_package;
  p.packages_per_node = packages;
  p.die = small_die();
  p.fabric.levels = {small_level(TopologyKind::FullyConnected, per_package, 1000 * 1_GBps, 5_ns),
                     small_level(TopologyKind::Switch, packages, 100_GBps, 200_ns)};
  p.fabric.levels[1].ports = per_package;
  p.fabric.exchange_overhead = 20_ns;
  return p;
}

inline LlmSpec small_dense() {
  return {.name = "small-dense",
          .hidden = 256,
          .vocabulary = 1024,
          .mixers = {{"attention", AttentionSpec{.heads = 16, .kv_heads = 4, .head_dim = 16}}},
          .layers = dense_then_moe(8, 0),
          .dense_ffn = 512,
          .max_context = 65536};
}

/// Router weights are the only BF16 matrices: a GEMM in BF16 is the router's.
inline LlmSpec small_moe() {
  LlmSpec llm{.name = "small-moe",
              .hidden = 256,
              .vocabulary = 1024,
              .mixers = {{"attention", AttentionSpec{.heads = 16, .kv_heads = 4, .head_dim = 16}}},
              .layers = dense_then_moe(1, 8),
              .dense_ffn = 512,
              .moe = MoeSpec{.experts = 16,
                             .top_k = 4,
                             .expert_ffn = 64,
                             .shared_experts = 1,
                             .shared_ffn = 64,
                             .routing = {.popularity_sigma = 0.6}},
              .max_context = 65536};
  llm.weights = llm.embedding = llm.activations = llm.kv = Precision::Fp8;
  return llm;
}

inline LlmSpec with_mixers(std::vector<Mixer> mixers, std::string name) {
  LlmSpec llm = small_dense();
  llm.name = std::move(name);
  llm.mixers = std::move(mixers);
  for (std::size_t i = 0; i < llm.layers.size(); ++i)
    llm.layers[i].mixer = static_cast<std::int8_t>(i % llm.mixers.size());
  check(llm);
  return llm;
}

inline LlmSpec latent(std::int64_t topk = 0) {
  LatentAttentionSpec a{.heads = 16,
                        .query_rank = 64,
                        .kv_rank = 32,
                        .rope_dim = 16,
                        .nope_dim = 16,
                        .value_dim = 16};
  if (topk > 0) a.index_heads = 8, a.index_dim = 8, a.index_topk = topk;
  return with_mixers({{"latent", a}}, topk > 0 ? "sparse-latent" : "latent");
}

inline LlmSpec windowed() {
  AttentionSpec full{.heads = 16, .kv_heads = 4, .head_dim = 16};
  AttentionSpec sliding = full;
  sliding.window = 64;
  AttentionSpec chunked = full;
  chunked.window = 128;
  chunked.chunked = true;
  return with_mixers({{"sliding", sliding}, {"full", full}, {"chunked", chunked}, {"f", full}},
                     "windowed");
}

inline LlmSpec hybrid() {
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

/// Models with every kind of mixer.
inline std::vector<LlmSpec> every_mixer() {
  return {small_dense(), latent(), latent(64), windowed(), hybrid()};
}

/// A model on dies, lowered one step at a time. Holds what Lowering keeps references to.
class Bench {
 public:
  Bench(PlatformSpec on, LlmSpec what, const ParallelPlan& plan, const PlacementPolicy& policy = {})
      : platform{std::move(on)}, llm{std::move(what)} {
    if (llm.moe) router.emplace(llm, kSeed);
    placement = place(platform, llm, plan, policy, router_or_null(), kPage, 64);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  [[nodiscard]] const ExpertRouter* router_or_null() const { return router ? &*router : nullptr; }

  StepPrograms lower(const StepLoad& load) {
    Lowering lowering{platform, llm, placement, router_or_null()};
    StepPrograms out;
    lowering.lower(load, out);
    return out;
  }

  PlatformSpec platform;
  LlmSpec llm;
  std::optional<ExpertRouter> router;
  Placement placement;
};

/// `batch` decoding sequences of `context` cached tokens, dealt round-robin to `replicas`.
inline StepLoad decode(std::int64_t batch, std::int64_t context, std::int64_t replicas = 1) {
  StepLoad load;
  for (std::int64_t i = 0; i < batch; ++i)
    load.sequences.push_back({.request = RequestId{static_cast<std::uint64_t>(i)},
                              .context = context,
                              .replica = static_cast<std::int32_t>(i % replicas)});
  return load;
}

inline std::int64_t sum(const auto& array) {
  std::int64_t total = 0;
  for (const auto& value : array)
    if constexpr (requires { value.count(); })
      total += value.count();
    else
      total += value;
  return total;
}

/// Every multiply-accumulate of a token's matrices but routed experts and router, head included.
inline std::int64_t dense_macs_per_token(const LlmSpec& llm) {
  const ParameterCounts n = count_parameters(llm);
  return n.attention + n.dense_ffn + n.shared_experts + llm.vocabulary * llm.hidden;
}
inline std::int64_t routed_macs_per_token(const LlmSpec& llm) {
  if (!llm.moe) return 0;
  return llm.layers_with(FfnKind::Moe) * llm.moe->top_k * 3 * llm.hidden * llm.moe->expert_ffn;
}
/// Scores and weighted sum of one token over `positions` positions, all layers.
inline std::int64_t attention_macs(const LlmSpec& llm, std::int64_t positions) {
  const auto& a = std::get<AttentionSpec>(llm.mixers.front().of);
  return 2 * a.heads * a.head_dim * positions * llm.layer_count();
}

template <class Visit>
void each_instruction(const StepPrograms& step, Visit visit) {
  for (std::size_t d = 0; d < step.dies.size(); ++d)
    for (std::size_t i = 0; i < step.dies[d].code.size(); ++i)
      visit(d, static_cast<std::int32_t>(i), step.dies[d].code[i]);
}

inline std::int64_t count_ops(const StepPrograms& step, OpCode code) {
  std::int64_t n = 0;
  each_instruction(step, [&](auto, auto, const Instruction& in) { n += in.code == code; });
  return n;
}

}  // namespace reticle::test
