// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/mapping/collectives.hpp"
#include "sim/mapping/lowering.hpp"
#include "sim/mapping/op_costs.hpp"
#include "sim/mapping/step_estimate.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {

/// Expected bytes and passes of one layer's routed experts on the busiest dies, and where its
/// tokens go.
struct ExpertEstimate {
  std::array<double, kTierCount> bytes{};
  double touched = 0;
  double groups_of_token = 0;  ///< in which it has an expert
  double tokens = 0;           ///< that come to the busiest group
};

ExpertEstimate estimate_experts(const LlmSpec& llm, const Placement& placement,
                                const ExpertRouter& router, std::int64_t layer, double tokens) {
  const auto& plan = placement.plan;
  const LayerHomes& homes = placement.layers[static_cast<std::size_t>(layer)];
  const auto bytes = static_cast<double>(expert_shard_bytes(llm, plan, layer).count());
  struct Group {
    ExpertEstimate of;
    double variance = 0;  ///< of how many are touched
    double missed = 1;    ///< the probability that a token has no expert here
  };
  std::vector<Group> groups(static_cast<std::size_t>(plan.expert));
  const auto touch = [&](std::int32_t to, Tier tier, double p) {
    const double touched = 1 - std::pow(1 - p, tokens);
    Group& group = groups[static_cast<std::size_t>(to)];
    group.of.bytes[static_cast<std::size_t>(tier)] += touched * bytes;
    group.of.touched += touched;
    group.variance += touched * (1 - touched);
    group.missed *= 1 - p;
  };
  for (std::size_t e = 0; e < homes.experts.size(); ++e) {
    const double p = pick_probability(llm, router, layer, static_cast<std::int64_t>(e));
    const auto& copy = homes.copies[e];
    touch(homes.groups[e], homes.experts[e].tier, copy ? p / 2 : p);
    if (copy) touch(copy->group, copy->home.tier, p / 2);
  }
  // The busiest of several groups lies above the mean: one standard deviation of a sum of
  // independent touches, where there is more than one group to be the busiest.
  const auto spread = [&](double mean, double variance) {
    return plan.expert > 1 && mean > 0 ? 1 + std::sqrt(variance) / mean : 1;
  };
  ExpertEstimate busiest;  // of each kind of work: a group is late by any of them
  const auto raise = [](double& most, double value) { most = std::max(most, value); };
  for (const auto& [group, variance, missed] : groups) {
    const double wide = spread(group.touched, variance);
    for (std::size_t t = 0; t < kTierCount; ++t) raise(busiest.bytes[t], group.bytes[t] * wide);
    raise(busiest.touched, group.touched * wide);
    const double here = tokens * (1 - missed);
    raise(busiest.tokens, here * spread(here, here * missed));
    busiest.groups_of_token += 1 - missed;
  }
  return busiest;
}

double mac_seconds(const MacParams& mac, double m, double k, double n, double count,
                   Precision precision) {
  const auto slow = static_cast<double>(mac.cycles_per_pass[static_cast<std::size_t>(precision)]);
  const auto rows = static_cast<double>(mac.rows);
  const bool weights_stay = mac.dataflow == Dataflow::WeightStationary;
  const double pass = std::max((weights_stay ? m : k) * slow, rows);
  const double tiles = std::ceil((weights_stay ? k : m) / rows) *
                       std::ceil(n / static_cast<double>(mac.cols)) * count;
  const double waves = std::ceil(tiles / static_cast<double>(mac.arrays));
  return waves * pass / static_cast<double>(mac.clock.count());
}

std::string explain(const PlatformSpec& platform, const LlmSpec& llm, const PlacementPolicy& policy,
                    const ExpertRouter* router, const PlanTarget& target, const std::string& why) {
  const std::int64_t n = dies(platform);
  std::string text = llm.name + " on " + platform.name + " (" + std::to_string(n) +
                     " dies): " + gigabytes(weight_bytes(llm)) + " of weights, " +
                     gigabytes(weight_room(platform, policy)) + " of room for them; " + why;
  const auto nodes = smallest_nodes(platform, llm, policy, router,
                                    {.sequences = 1,
                                     .tokens = 1,
                                     .page_tokens = target.page_tokens,
                                     .max_tokens = target.max_tokens});
  if (!nodes) return text + "; no number of nodes that was tried would do";
  if (*nodes == platform.nodes &&
      (policy.pipeline_parallel || policy.tensor_parallel || policy.expert_parallel))
    return text + "; with other sizes of placement.*_parallel than those fixed it fits";
  return text + "; the smallest deployment of whole nodes that fits: " + std::to_string(*nodes) +
         " nodes, " + std::to_string(*nodes * n / platform.nodes) +
         " dies (--set platform.nodes=" + std::to_string(*nodes) + ")";
}

/// Of a stage's replicas the first that spans as much of the fabric as any: some lie across nodes
/// where others lie within one.
DieGroup widest_replica(const PlatformSpec& platform, const ParallelPlan& plan,
                        std::int64_t stage) {
  const auto group_of = [&](std::int64_t r) {
    return DieGroup{stage * plan.stage_dies() + r * plan.tensor, plan.tensor, 1};
  };
  for (const std::int64_t part :
       {dies(platform) / platform.nodes, platform.dies_per_package, std::int64_t{1}})
    for (std::int64_t r = 0; r < plan.data; ++r)
      if (const DieGroup g = group_of(r); g.first / part != (g.first + g.count - 1) / part)
        return g;
  return group_of(0);
}

}  // namespace

Picoseconds rough_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                              const Placement& placement, const ExpertRouter* router,
                              const PlanTarget& target) {
  const ParallelPlan& plan = placement.plan;
  const DieParams& die = platform.die;
  std::array<double, kTierCount> rate{static_cast<double>(peak_bandwidth(die.sram).count()), 1, 1,
                                      1};
  if (die.hbm) rate[1] = static_cast<double>(peak_bandwidth(*die.hbm).count());
  if (die.far) rate[2] = static_cast<double>(peak_bandwidth(*die.far).count());

  const std::int64_t micro = microbatches(plan, target.batch);
  const double batch = std::ceil(static_cast<double>(target.batch) / static_cast<double>(micro));
  const double tokens = std::ceil(batch / static_cast<double>(plan.data));  // per replica
  const auto cached = div_up(target.batch, plan.data) * target.context;
  const double near_share = cached > 0 ? static_cast<double>(near_tokens(placement.kv, cached)) /
                                             static_cast<double>(cached)
                                       : 0;
  const Collectives collectives{platform, placement.rank_order};
  const Bytes sums{static_cast<std::int64_t>(tokens) * llm.hidden * op_costs::kPartialSumBytes};
  const Precision inputs = llm.linear_inputs.value_or(llm.activations);
  // Products of a layer, attention among them: the rough time only puts plans in order.
  constexpr double kLaunchesOfLayer = 6;
  const double launches =
      die.sequencer.static_prefetch
          ? 0
          : kLaunchesOfLayer * seconds(die.kernels ? begin_of(*die.kernels, KernelKind::Product)
                                                   : die.sequencer.launch_gap);

  double worst_stage = 0;
  for (std::int64_t stage = 0; stage < plan.pipeline; ++stage) {
    double total = 0;
    const DieGroup replica = widest_replica(platform, plan, stage);
    const auto all_reduce = [&](Bytes bytes) {
      return plan.tensor > 1 ? seconds(collectives.estimate_all_reduce(replica, bytes)) : 0;
    };
    const double reduce = all_reduce(sums), small_exchange = all_reduce(Bytes{1});
    for (auto layer = first_layer(llm, plan, stage); layer < first_layer(llm, plan, stage + 1);
         ++layer) {
      std::array<double, kTierCount> bytes{};
      double mac = 0;
      const auto& homes = placement.layers[static_cast<std::size_t>(layer)];
      for (const Matrix& matrix : matrices_of(llm, layer)) {
        if (is_expert(matrix.role)) continue;
        const WeightHome& home = homes.weights[static_cast<std::size_t>(matrix.role)];
        bytes[static_cast<std::size_t>(home.tier)] +=
            static_cast<double>(shard_bytes(matrix, plan).count());
        const Matrix mine = shard(matrix, plan.tensor, 0);
        mac += mac_seconds(die.mac, tokens, static_cast<double>(mine.k),
                           static_cast<double>(mine.n), static_cast<double>(mine.copies),
                           product_format(die.mac, matrix.precision, inputs));
      }
      double comm = llm.mixer_of(layer) != nullptr ? reduce : 0;
      if (const Mixer* mixer = llm.mixer_of(layer)) {
        const AttentionShards shards = attention_shards(*mixer, plan);
        const double read =
            tokens * static_cast<double>(cache_read_bytes(llm, *mixer, target.context, 1).count()) /
            static_cast<double>(shards.cache_cuts());
        const double near = keeps_all(llm, *mixer) ? read * near_share : 0;
        bytes[static_cast<std::size_t>(placement.kv.tier)] += read - near;
        bytes[static_cast<std::size_t>(Tier::Sram)] += near;
        if (shards.context > 1) comm += small_exchange;
      }
      if (llm.layer_is_moe(layer)) {
        const auto experts = estimate_experts(llm, placement, *router, layer, batch);
        for (std::size_t t = 0; t < kTierCount; ++t) bytes[t] += experts.bytes[t];
        const double m =
            std::max(1.0, batch * static_cast<double>(llm.moe->top_k) /
                              static_cast<double>(plan.expert) / std::max(1.0, experts.touched));
        const auto ffn =
            static_cast<double>(largest_share(llm.moe->expert_ffn, plan.expert_tensor));
        mac += mac_seconds(die.mac, m, static_cast<double>(llm.hidden),
                           (llm.gated_ffn ? 3 : 2) * ffn,  // matrices of an FFN
                           experts.touched, product_format(die.mac, llm.weights, inputs));
        comm += reduce;
        if (plan.data > 1) {
          // A token goes from one die of its replica to all dies of the groups it is routed to, and
          // partial sums come back: the busiest die sends whole tokens, or takes a group's.
          const DieGroup all{stage * plan.stage_dies(), plan.stage_dies(), 1};
          const double sent = std::ceil(tokens / static_cast<double>(plan.tensor)) *
                              experts.groups_of_token * static_cast<double>(plan.expert_tensor);
          const auto values = static_cast<std::int64_t>(std::max(sent, experts.tokens) *
                                                        static_cast<double>(llm.hidden));
          comm += seconds(collectives.estimate_all_to_all(all, bytes_of(values, inputs))) +
                  seconds(collectives.estimate_all_to_all(
                      all, Bytes{values * op_costs::kPartialSumBytes}));
        }
      } else if (llm.layer(layer).ffn == FfnKind::Dense) {
        comm += reduce;
      }
      double memory = 0;
      for (std::size_t t = 0; t < kTierCount; ++t) memory = std::max(memory, bytes[t] / rate[t]);
      total += std::max(memory, mac) + comm + launches;
    }
    worst_stage = std::max(worst_stage, total);
  }
  const double passes = static_cast<double>(plan.pipeline + micro - 1);
  return Picoseconds{static_cast<std::int64_t>(worst_stage * passes * 1e12)};
}

namespace {

constexpr std::int64_t kSampledLayers = 16;  // sample_layers says which

StepLoad decode_step(const PlanTarget& target, const Placement& placement) {
  StepLoad load;
  const std::int64_t replicas = placement.plan.data;
  const std::int64_t each = div_up(target.batch, replicas);
  const std::int64_t near =
      target.batch > 0 ? near_tokens(placement.kv, each * target.context) / each : 0;
  for (std::int64_t i = 0; i < target.batch; ++i)
    load.sequences.push_back({.request = RequestId{static_cast<std::uint64_t>(i)},
                              .context = target.context,
                              .near = near,
                              .new_tokens = 1,
                              .replica = static_cast<std::int32_t>(i % replicas)});
  return load;
}

/// Some layers of every stage, `kSampledLayers` in all and one at least. They lie apart by the
/// golden ratio's multiples, so that no period of the layers' kinds is missed.
std::vector<bool> sample_layers(const LlmSpec& llm, const ParallelPlan& plan) {
  constexpr double kGolden = 0.6180339887498949;  // exact to a double: (sqrt(5) - 1) / 2
  std::vector<bool> sampled(static_cast<std::size_t>(llm.layer_count()));
  for (std::int64_t stage = 0; stage < plan.pipeline; ++stage) {
    const std::int64_t first = first_layer(llm, plan, stage);
    const std::int64_t count = first_layer(llm, plan, stage + 1) - first;
    const std::int64_t take =
        div_up(count * std::min(kSampledLayers, llm.layer_count()), llm.layer_count());
    for (std::int64_t i = 0; i < take; ++i) {
      const double jitter = std::fmod(static_cast<double>(i) * kGolden, 1.0);
      const double place = (static_cast<double>(i) + jitter) / static_cast<double>(take);
      sampled[static_cast<std::size_t>(
          first + static_cast<std::int64_t>(place * static_cast<double>(count)))] = true;
    }
  }
  return sampled;
}

/// From the programs of those layers of `whole`; as much longer as there are more in all.
Picoseconds step_of(const PlatformSpec& platform, const LlmSpec& llm, const OpGraph& whole,
                    const Placement& placement, const ExpertRouter* router,
                    const PlanTarget& target, const std::vector<bool>& sampled) {
  const StepLoad load = decode_step(target, placement);
  StepEstimate estimate{platform};
  StepPrograms programs;
  const auto time_of = [&](const std::vector<bool>& layers) {
    OpGraph some = part_of(whole, [&](const Operator& op) {
      return op.layer < 0 || layers[static_cast<std::size_t>(op.layer)];
    });
    Lowering{platform, llm, placement, router, std::move(some)}.lower(load, programs);
    return estimate.time_of_step(programs);
  };
  const auto count = std::count(sampled.begin(), sampled.end(), true);
  const Picoseconds some = time_of(sampled);
  if (count == llm.layer_count()) return some;
  // What the layers take beside embedding and head grows with their number.
  const Picoseconds none = time_of(std::vector<bool>(sampled.size()));
  return none + Picoseconds{mul_div_up((some - none).count(), llm.layer_count(), count)};
}

Picoseconds sampled_step(const PlatformSpec& platform, const LlmSpec& llm, const OpGraph& whole,
                         const Placement& placement, const ExpertRouter* router,
                         const PlanTarget& target) {
  return step_of(platform, llm, whole, placement, router, target,
                 sample_layers(llm, placement.plan));
}

/// A stage with a few of its layers loads all of them ahead while it waits for the stage before,
/// which hides how long a pipeline takes to fill: plans in stages are walked whole.
Picoseconds decode_step_of(const PlatformSpec& platform, const LlmSpec& llm, const OpGraph& whole,
                           const Placement& placement, const ExpertRouter* router,
                           const PlanTarget& target) {
  if (placement.plan.pipeline == 1)
    return sampled_step(platform, llm, whole, placement, router, target);
  const std::vector<bool> all(static_cast<std::size_t>(llm.layer_count()), true);
  return step_of(platform, llm, whole, placement, router, target, all);
}

}  // namespace

Picoseconds estimate_decode_step(const PlatformSpec& platform, const LlmSpec& llm,
                                 const Placement& placement, const ExpertRouter* router,
                                 const PlanTarget& target) {
  return decode_step_of(platform, llm, build_op_graph(llm), placement, router, target);
}

namespace {

/// A plan that fits.
struct Candidate {
  Placement placement;
  bool holds = false;  ///< the target batch at the target context, whole streams in each replica
  Picoseconds rough{};
  std::optional<Picoseconds> step{};
  bool whole = false;  ///< `step` is estimate_decode_step's
};

/// Plans are estimated in the order of their rough times: as long as these stay within twice the
/// best of them, or below the best estimate. An estimate costs milliseconds, of hundreds of dies a
/// second.
constexpr std::int64_t kRoughBound = 2;
constexpr std::size_t kMostEstimated = 32;
/// Plans this near to the best are looked at again, by default: those in stages are walked whole,
/// as a sample of their layers is off by some percent, and plans like the best of each depth are
/// tried.
constexpr std::int64_t kNearPermille = 50;

/// Of `candidates` those near `from`: one of the sizes one of the two next larger or smaller ones,
/// the others as they are.
std::vector<Candidate*> neighbours(std::span<Candidate> candidates, const ParallelPlan& from) {
  constexpr std::size_t kEachWay = 2;  // a size between may cut the heads unevenly
  constexpr std::array kSizes{&ParallelPlan::pipeline, &ParallelPlan::tensor,
                              &ParallelPlan::expert};
  std::vector<Candidate*> found;
  for (const auto size : kSizes) {
    std::map<std::int64_t, Candidate*> line;
    for (Candidate& c : candidates) {
      const ParallelPlan& plan = c.placement.plan;
      if (std::ranges::none_of(kSizes, [&](auto s) { return s != size && plan.*s != from.*s; }))
        line.emplace(plan.*size, &c);
    }
    auto above = line.upper_bound(from.*size), below = line.lower_bound(from.*size);
    for (std::size_t i = 0; i < kEachWay && above != line.end(); ++i, ++above)
      found.push_back(above->second);
    for (std::size_t i = 0; i < kEachWay && below != line.begin(); ++i)
      found.push_back((--below)->second);
  }
  return found;
}

/// The fastest first; a plan that holds the batch comes before a faster one that does not.
void rank(const PlatformSpec& platform, const LlmSpec& llm, const ExpertRouter* router,
          const PlanTarget& target, std::vector<Candidate>& candidates) {
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.holds != b.holds ? a.holds : a.rough < b.rough;
  });
  const OpGraph whole = build_op_graph(llm);
  const auto holding = std::span{candidates}.first(static_cast<std::size_t>(
      std::ranges::find(candidates, !candidates.front().holds, &Candidate::holds) -
      candidates.begin()));
  const auto faster = [](const Candidate& a, const Candidate& b) {
    return a.step && b.step ? *a.step < *b.step : a.step.has_value() && !b.step;
  };
  const auto best = [&]() -> const Candidate& {
    return *std::ranges::min_element(holding, faster);
  };
  const auto estimate = [&](Candidate& c) {
    c.step = sampled_step(platform, llm, whole, c.placement, router, target);
    c.whole = c.placement.plan.pipeline == 1;
  };
  const Picoseconds bound = kRoughBound * candidates.front().rough;
  for (Candidate& c : holding.first(std::min(holding.size(), kMostEstimated)))
    if (!holding.front().step || c.rough <= bound || c.rough <= *best().step) estimate(c);
  const auto near_best = [&](const Candidate& c) {
    return c.step &&
           c.step->count() <= mul_div_up(best().step->count(), 1000 + kNearPermille, 1000);
  };
  for (bool settled = false; !settled;) {
    settled = true;
    const auto flattered = [&](const Candidate& c) { return !c.whole && near_best(c); };
    for (auto c = std::ranges::find_if(holding, flattered); c != holding.end();
         c = std::ranges::find_if(holding, flattered)) {
      c->step = decode_step_of(platform, llm, whole, c->placement, router, target);
      c->whole = true;
    }
    // Where many plans fit, those of nearly the sizes of the best of a depth may beat it.
    std::map<std::int64_t, const Candidate*> best_of_depth;
    for (const Candidate& c : holding) {
      if (!near_best(c)) continue;
      const Candidate*& of = best_of_depth[c.placement.plan.pipeline];
      if (of == nullptr || *c.step < *of->step) of = &c;
    }
    for (const auto& [depth, from] : best_of_depth)
      for (Candidate* c : neighbours(holding, from->placement.plan)) {
        if (c->step) continue;
        estimate(*c);
        settled = false;
      }
  }
  std::ranges::stable_sort(holding, faster);
}

/// Names the sizes that were fixed and that no plan has together, and what each could be beside
/// the others.
[[noreturn]] void refuse_sizes(const LlmSpec& llm, const PlacementPolicy& policy,
                               std::int64_t dies) {
  struct Size {
    std::string_view key;
    std::optional<std::int64_t> asked;
    std::int64_t ParallelPlan::*value;
  };
  const std::array<Size, 3> sizes{
      {{"pipeline_parallel", policy.pipeline_parallel, &ParallelPlan::pipeline},
       {"tensor_parallel", policy.tensor_parallel, &ParallelPlan::tensor},
       {"expert_parallel", policy.expert_parallel, &ParallelPlan::expert}}};
  std::string fixed, instead, key = "placement";
  for (const Size& size : sizes) {
    if (!size.asked) continue;
    key = fixed.empty() ? "placement." + std::string{size.key} : "placement";
    if (!fixed.empty()) fixed += ", ";
    fixed.append(size.key).append(" ").append(std::to_string(*size.asked));
    std::set<std::int64_t> possible;
    for (const ParallelPlan& plan : enumerate_plans(llm, dies))
      if (std::ranges::all_of(sizes, [&](const Size& other) {
            return other.key == size.key || !other.asked || plan.*other.value == *other.asked;
          }))
        possible.insert(plan.*size.value);
    std::string values;
    for (const std::int64_t value : possible)
      values.append(values.empty() ? "" : ", ").append(std::to_string(value));
    if (!values.empty()) instead.append("; ").append(size.key).append(" could be ").append(values);
  }
  throw ConfigError(SourcePosition{}, key,
                    "expected parallel sizes that divide " + std::to_string(dies) +
                        " dies and fit the model's heads, experts and layers, got " + fixed +
                        instead);
}

PlanOption option_of(const Candidate& candidate, const Candidate& chosen) {
  const PlanVerdict verdict = &candidate == &chosen             ? PlanVerdict::Chosen
                              : candidate.step                  ? PlanVerdict::Slower
                              : candidate.holds == chosen.holds ? PlanVerdict::RoughlySlower
                                                                : PlanVerdict::TooSmall;
  return {.plan = candidate.placement.plan,
          .verdict = verdict,
          .rough = candidate.rough,
          .step = candidate.step};
}

}  // namespace

PlanChoice choose_plan(const PlatformSpec& platform, const LlmSpec& llm,
                       const PlacementPolicy& policy, const ExpertRouter* router,
                       const PlanTarget& target) {
  const auto matches = [](const std::optional<std::int64_t>& asked, std::int64_t value) {
    return !asked || *asked == value;
  };
  const auto candidate_of = [&](const ParallelPlan& plan) {
    Candidate c{place(platform, llm, plan, policy, router, target.page_tokens, target.max_tokens)};
    c.holds = sequences_that_fit(c.placement.kv.stages, target.context + 1) >=
              div_up(target.batch, plan.data);
    c.rough = rough_decode_step(platform, llm, c.placement, router, target);
    return c;
  };
  std::vector<Candidate> candidates;
  std::vector<PlanOption> without_room;
  std::optional<ParallelPlan> widest;
  for (ParallelPlan plan : enumerate_plans(llm, dies(platform))) {
    plan.latent_copies = policy.latent_cache == LatentCache::Copied;
    plan.microbatches = policy.microbatches.value_or(0);
    if (!matches(policy.pipeline_parallel, plan.pipeline) ||
        !matches(policy.tensor_parallel, plan.tensor) ||
        !matches(policy.expert_parallel, plan.expert))
      continue;
    if (!widest || plan.pipeline * plan.tensor > widest->pipeline * widest->tensor) widest = plan;
    // Replicas without a sequence would only hold weights twice.
    if (plan.data > std::max<std::int64_t>(1, target.batch)) continue;
    try {
      candidates.push_back(candidate_of(plan));
    } catch (const InfeasibleError& error) {
      without_room.push_back({.plan = plan, .problem = error.what()});
    }
  }
  if (!widest) refuse_sizes(llm, policy, dies(platform));
  try {
    // Replicas that were passed over may be all there is room for; or it says what does not fit.
    if (candidates.empty()) candidates.push_back(candidate_of(*widest));
  } catch (const InfeasibleError& error) {
    throw InfeasibleError(explain(platform, llm, policy, router, target, error.what()));
  }
  rank(platform, llm, router, target, candidates);
  if (policy.microbatches && candidates.front().placement.plan.pipeline == 1)
    throw ConfigError({}, "placement.microbatches",
                      "the plan chosen has one stage: fix placement.pipeline_parallel, or leave "
                      "this out");
  PlanChoice choice{.placement = {}, .target = target, .options = {}};
  for (const Candidate& c : candidates) choice.options.push_back(option_of(c, candidates.front()));
  choice.options.insert(choice.options.end(), without_room.begin(), without_room.end());
  choice.placement = std::move(candidates.front().placement);
  return choice;
}

}  // namespace reticle
