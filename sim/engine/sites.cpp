// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/sites.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "models/package/platform_parts.hpp"
#include "sim/base/error.hpp"
#include "sim/mapping/plan.hpp"
#include "sim/mapping/whole_cache.hpp"

namespace reticle {

namespace {

/// The first guess at a trace's batch, between a lone stream and a full machine.
constexpr std::int64_t kTracePlanBatch = 32;

/// Instances among which the decoding is dealt.
std::int64_t decoders(const ServingSpec& serving) {
  return serving.instances - serving.prefill_instances;
}

/// Streams that decode at a time on one instance if steps take `step`: arrivals' output tokens per
/// second times the time each takes (Little's law). A trace of one instant asks for all its
/// requests at once.
std::int64_t concurrency(const RunSpec& spec, const Trace& trace, Picoseconds step) {
  const auto& workload = std::get<TraceWorkload>(spec.workload);
  const double span =
      seconds(trace.requests.back().arrival - trace.requests.front().arrival) / workload.rate_scale;
  double tokens = 0;
  for (const Request& r : trace.requests) tokens += static_cast<double>(r.output_tokens);
  const std::int64_t share = div_up(std::ssize(trace.requests), decoders(spec.serving));
  const auto most = std::min(spec.serving.max_batch, share);
  constexpr double kUnbounded = 1e18;  // a bound above any batch
  const double streams =
      span > 0
          ? std::ceil(tokens / span * seconds(step) / static_cast<double>(decoders(spec.serving)))
          : kUnbounded;
  return streams < static_cast<double>(most)
             ? std::max<std::int64_t>(1, static_cast<std::int64_t>(streams))
             : most;
}

/// A step far beyond all memories cannot be, and to lower it would take memory without end: it is
/// refused later, by whoever admits requests.
void bound_target(const RunSpec& spec, PlanTarget& target) {
  // Times the room there is: no placement makes up for that.
  constexpr std::int64_t kBeyond = 64;
  const std::int64_t room = weight_room(spec.platform, spec.placement).count();
  const CacheStage whole = whole_cache(spec.llm, target.page_tokens);
  if (whole.page > 0)
    target.context =
        std::min(target.context, std::max<std::int64_t>(1, room / whole.page * target.page_tokens));
  const std::int64_t each = std::max<std::int64_t>(1, whole.booked(target.context));
  target.batch = std::min(target.batch, std::max<std::int64_t>(kBeyond, room / each * kBeyond));
}

PlanTarget plan_target(const RunSpec& spec, const Trace* trace) {
  PlanTarget target;
  target.page_tokens = spec.serving.kv_page_tokens;
  target.max_tokens = spec.serving.max_batch;
  if (const auto* steady = std::get_if<SteadyDecode>(&spec.workload)) {
    target.batch = target.max_tokens = div_up(steady->batch, spec.serving.instances);
    target.context = steady->context + steady->steps;
  } else {
    target.max_tokens += spec.serving.prefill_tokens;
    target.batch = std::min(kTracePlanBatch, spec.serving.max_batch);
    std::int64_t tokens = 0;
    for (const Request& r : trace->requests) tokens += r.input_tokens + r.output_tokens;
    target.context = tokens / static_cast<std::int64_t>(trace->requests.size());
  }
  target.batch = spec.placement.plan_batch.value_or(target.batch);
  target.context = spec.placement.plan_context.value_or(target.context);
  bound_target(spec, target);
  return target;
}

class Planner {
 public:
  Planner(const RunSpec& spec, const Trace* trace, const Routers& routers)
      : spec_{spec}, trace_{trace}, routers_{routers} {}

  [[nodiscard]] InstancePlan plan(const PlatformSpec& platform,
                                  const PlacementPolicy& policy) const {
    const PlanTarget first = plan_target(spec_, trace_);
    InstancePlan plan{.platform = platform, .placement = {}, .draft = {}};
    const auto place_for = [&](const PlanTarget& target, const PlacementPolicy& mine) {
      PlanChoice choice = choose_plan(platform, spec_.llm, mine, routers_.model, target);
      plan.placement = std::move(choice.placement);
      plan.target = target;
      plan.options = std::move(choice.options);
      plan.step = target == first ? *plan.options.front().step
                                  : estimate_decode_step(platform, spec_.llm, plan.placement,
                                                         routers_.model, first);
    };
    place_for(first, policy);
    PlanTarget target = first;
    if (trace_ != nullptr && !policy.plan_batch) {
      target.batch = concurrency(spec_, *trace_, plan.step);
      place_for(target, policy);
    }
    if (spec_.draft) {
      plan.draft = place_draft(plan, target);
      PlacementPolicy beside = policy;
      beside.tensor_parallel = plan.placement.plan.tensor;
      beside.expert_parallel = plan.placement.plan.expert;
      beside.pipeline_parallel = plan.placement.plan.pipeline;
      const auto weights = draft_weights(*plan.draft);
      for (std::size_t t = 0; t < kTierCount; ++t)
        beside.taken[t] = div_up(weights[t].count(), dies(platform));
      auto considered = std::move(plan.options);
      place_for(target, beside);
      plan.options = std::move(considered);
      for (std::size_t t = 0; t < kTierCount; ++t) {
        plan.placement.weights[t] += weights[t];
        plan.placement.reserved[t] -= weights[t];
      }
      add_cache(spec_.llm, plan.placement.kv, plan.draft->kv);
    }
    round_near(spec_.llm, plan.placement.kv, block_tokens());
    // A draft's pages lie in the model's.
    if (plan.draft) plan.draft->kv.near_pages = plan.placement.kv.near_pages;
    return plan;
  }

  /// The fastest of them; null, and why the largest does not hold the model, when none does.
  [[nodiscard]] std::shared_ptr<const InstancePlan> best(const std::vector<PlatformSpec>& platforms,
                                                         std::string& why) const {
    std::shared_ptr<const InstancePlan> best;
    why = platforms.empty() ? "no die is left" : "";
    for (const PlatformSpec& platform : platforms) {
      try {
        auto candidate = std::make_shared<const InstancePlan>(plan_what_is_left(platform));
        if (!best || candidate->step < best->step) best = std::move(candidate);
      } catch (const InfeasibleError& error) {
        if (why.empty()) why = error.what();
      }
    }
    return best;
  }

 private:
  /// As the user wants it cut, or as it can be where that is not possible any more.
  [[nodiscard]] InstancePlan plan_what_is_left(const PlatformSpec& platform) const {
    try {
      return plan(platform, spec_.placement);
    } catch (const ConfigError&) {
      PlacementPolicy free = spec_.placement;
      free.tensor_parallel = free.expert_parallel = free.pipeline_parallel = free.microbatches =
          std::nullopt;
      return plan(platform, free);
    }
  }

  /// Of prefix blocks, where any are shared.
  [[nodiscard]] std::int64_t block_tokens() const {
    if (trace_ == nullptr || spec_.serving.prefix_cache == PrefixCachePolicy::Off) return 0;
    return trace_->block_tokens;
  }

  /// The draft is cut as wide as the model's attention, or as nearly as its own heads allow, and
  /// runs where the model's first stage does.
  [[nodiscard]] Placement place_draft(const InstancePlan& plan, const PlanTarget& target) const {
    PlacementPolicy policy = spec_.placement;
    policy.pipeline_parallel = 1;
    policy.expert_parallel = policy.microbatches = std::nullopt;
    policy.kv_sram_share = 0;
    policy.adapters = std::nullopt;
    if (!spec_.draft->moe) {
      policy.expert_cache = ExpertCachePolicy::Static;
      policy.expert_prefetch = ExpertPrefetch::None;
      policy.redundant_experts = 0;
      policy.sram_expert_share = std::nullopt;
    }
    const std::int64_t widest = plan.placement.plan.tensor;
    for (std::int64_t tensor = widest; tensor >= 1; --tensor) {
      if (widest % tensor != 0) continue;
      policy.tensor_parallel = tensor;
      try {
        return choose_placement(plan.platform, *spec_.draft, policy, routers_.draft, target);
      } catch (const ConfigError&) {  // it has not that many heads
      } catch (const InfeasibleError&) {
      }
    }
    throw InfeasibleError("serving.speculation.draft: " + spec_.draft->name +
                          " cannot be placed beside " + spec_.llm.name + " on " +
                          plan.platform.name);
  }

  /// What the draft takes; a head's embedding and output matrix are the model's.
  [[nodiscard]] std::array<Bytes, kTierCount> draft_weights(const Placement& draft) const {
    std::array<Bytes, kTierCount> own = draft.weights;
    if (!spec_.draft_is_head) return own;
    const LlmSpec& llm = *spec_.draft;
    const Bytes tables = draft.plan.data * bytes_of(llm.vocabulary * llm.hidden, llm.embedding);
    const auto share_with_model = [&](Tier tier) {
      Bytes& bytes = own[static_cast<std::size_t>(tier)];
      bytes = max(Bytes{}, bytes - tables);
    };
    share_with_model(draft.head.tier);
    if (!llm.tied_embeddings) share_with_model(draft.embedding.tier);
    return own;
  }

  const RunSpec& spec_;
  const Trace* trace_;
  const Routers routers_;
};

/// Shares of dies are even, so that one channel or link less at a die slows all of them: what is
/// left is a platform whose dies all have one less.
std::vector<PlatformSpec> left_of(const PlatformSpec& before, const FaultSpec& fault) {
  const auto refuse = [&](const std::string& problem) {
    throw ConfigError({}, "serving.faults." + fault.name, problem);
  };
  if (fault.kind == FaultKind::Die) return without_a_die(before);
  PlatformSpec after = before;
  if (fault.kind == FaultKind::HbmChannel) {
    if (!after.die.hbm) refuse("expected a platform with HBM, " + before.name + " has none");
    HbmParams& hbm = *after.die.hbm;
    const std::int64_t all = channels(hbm), left = all - fault.channels;
    if (left <= 0) refuse("expected fewer channels than the " + std::to_string(all) + " of a die");
    if (hbm.simulated_channels > 1) refuse("expected platform.die.hbm.simulated_channels: 1");
    hbm.capacity_per_stack = Bytes{capacity(hbm).count() / all * left};
    hbm.stacks = 1;
    hbm.pseudo_channels = left;
    return {after};
  }
  const auto level = std::ranges::find(after.fabric.levels, fault.level, &FabricLevel::name);
  if (level == after.fabric.levels.end())
    refuse("expected a fabric level of an instance of " + before.name +
           ", or one that caches are handed over by, got " + fault.level);
  level->link.rate = BytesPerSecond{
      static_cast<std::int64_t>(static_cast<double>(level->link.rate.count()) * fault.link_left)};
  return {after};
}

}  // namespace

bool between_instances(const RunSpec& spec, const FaultSpec& fault) {
  const auto among = [&](const PlatformSpec& platform) {
    return std::ranges::any_of(platform.fabric.levels,
                               [&](const FabricLevel& level) { return level.name == fault.level; });
  };
  return fault.kind == FaultKind::Link && spec.serving.prefill_instances > 0 &&
         among(spec.platform) && !among(part_of(spec.platform, spec.serving.instances));
}

namespace {
/// SRAM that was asked for keys and values has room for some.
void check_near(const RunSpec& spec, const KvRoom& kv) {
  if (spec.placement.kv_sram_share == 0 || kv.near_pages > 0) return;
  throw InfeasibleError(
      "placement.kv_sram_share: " +
      (kv.page_bytes.count() == 0
           ? spec.llm.name + " keeps no pages, and windows and states stay in HBM"
           : "the weights leave no SRAM for keys and values, of which a page, or a "
             "prompt block of the trace, is there whole"));
}
}  // namespace

std::vector<Site> plan_sites(const RunSpec& spec, const Trace* trace, const Routers& routers) {
  const Planner planner{spec, trace, routers};
  const auto whole = std::make_shared<const InstancePlan>(
      planner.plan(part_of(spec.platform, spec.serving.instances), spec.placement));
  check_near(spec, whole->placement.kv);
  std::vector<Site> sites(static_cast<std::size_t>(spec.serving.instances));
  for (Site& site : sites) site.plans.push_back(whole);
  for (const FaultSpec& fault : spec.serving.faults) {
    if (between_instances(spec, fault)) continue;
    Site& site = sites[static_cast<std::size_t>(fault.instance)];
    if (!site.plans.back()) continue;  // gone already
    site.faults.push_back(fault);
    site.plans.push_back(planner.best(left_of(site.plans.back()->platform, fault), site.end));
  }
  return sites;
}

}  // namespace reticle
