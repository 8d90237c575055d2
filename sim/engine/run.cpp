// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/run.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "models/kernel/fresh_kernel.hpp"
#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"
#include "sim/base/log.hpp"
#include "sim/base/rng.hpp"
#include "sim/engine/simulation.hpp"
#include "sim/engine/sites.hpp"

namespace reticle {

namespace {

void check_formats(const PlatformSpec& platform, const LlmSpec& llm) {
  const auto& passes = platform.die.mac.cycles_per_pass;
  for (const Precision p : {llm.weights, llm.attention_weights.value_or(llm.weights), llm.embedding,
                            llm.activations, llm.linear_inputs.value_or(llm.activations)})
    if (passes[static_cast<std::size_t>(p)] == 0)
      throw InfeasibleError(platform.name + " has no MAC path for " + std::string{name_of(p)} +
                            ", which " + llm.name + " needs");
}

/// That what serving.lora says has an effect, and what requests ask for is there.
void check_lora(const RunSpec& spec, const Trace* trace) {
  if (!spec.serving.lora) {
    if (trace && std::ranges::any_of(trace->requests,
                                     [](const Request& r) { return r.adapter.has_value(); }))
      logger("engine").warn("requests name adapters: without serving.lora all run on {} itself",
                            spec.llm.name);
    return;
  }
  const LoraSpec& lora = *spec.serving.lora;
  if (spec.platform.die.mac.cycles_per_pass[static_cast<std::size_t>(lora.family.format)] == 0)
    throw InfeasibleError(spec.platform.name + " has no MAC path for " +
                          std::string{name_of(lora.family.format)} + ", serving.lora.format");
  if (trace == nullptr) return;
  std::int64_t named = 0;
  for (const Request& r : trace->requests) {
    if (!r.adapter) continue;
    ++named;
    if (*r.adapter >= lora.family.adapters)
      throw ConfigError(SourcePosition{}, "serving.lora.adapters",
                        "expected as many as the trace names: request " +
                            std::to_string(static_cast<std::uint64_t>(r.id)) +
                            " asks for adapter " + std::to_string(*r.adapter) +
                            ", counted from 0, got " + std::to_string(lora.family.adapters));
  }
  if (named == 0 && !lora.popularity)
    throw ConfigError(SourcePosition{}, "serving.lora.popularity",
                      "expected a number, as the trace names no adapters, got none");
  if (named == std::ssize(trace->requests) && lora.popularity)
    throw ConfigError(SourcePosition{}, "serving.lora.popularity",
                      "expected none, as every request of the trace names its adapter");
  if (!spec.platform.die.far)
    throw ConfigError(SourcePosition{}, "serving.lora",
                      "expected a platform with a far tier that adapters are loaded from, " +
                          spec.platform.name + " has none (platform.die.far)");
}

void check_supported(const RunSpec& spec, const Trace* trace) {
  const std::int64_t page = spec.serving.kv_page_tokens;
  if (trace && spec.serving.prefix_cache != PrefixCachePolicy::Off &&
      trace->block_tokens % page != 0)
    throw ConfigError(SourcePosition{}, "serving.kv_page_tokens",
                      "expected pages that divide the trace's prefix blocks of " +
                          std::to_string(trace->block_tokens) + " tokens, got " +
                          std::to_string(page) + "; serving.prefix_cache=off shares none");
  const bool needs_requests = !spec.serving.faults.empty() || spec.serving.prefill_instances > 0;
  if (trace == nullptr && needs_requests)
    throw ConfigError(SourcePosition{},
                      spec.serving.faults.empty() ? "serving.prefill_instances" : "serving.faults",
                      "expected a trace as workload: a steady decode has no prompts to compute");
  if (spec.serving.early_exit.share > 0 && spec.draft)
    throw ConfigError(SourcePosition{}, "serving.early_exit_share",
                      "expected 0 beside serving.speculation: drafts are verified by all layers");
  const auto needs = [&](bool asked, bool there, const std::string& key, const std::string& tier) {
    if (asked && !there)
      throw ConfigError(SourcePosition{}, key,
                        "expected a platform with a " + tier + " tier to spill or swap to, " +
                            spec.platform.name + " has none (die." + tier + ")");
  };
  const DieParams& die = spec.platform.die;
  needs(spec.serving.kv_spill == KvSpill::Far, die.far.has_value(), "serving.kv_spill", "far");
  needs(spec.serving.kv_spill == KvSpill::Flash, die.flash.has_value(), "serving.kv_spill",
        "flash");
  needs(spec.serving.preemption == Preemption::Swap, die.far.has_value(), "serving.preemption",
        "far");
  check_lora(spec, trace);
  if (spec.engine.thermal && !spec.platform.cooling)
    throw ConfigError(SourcePosition{}, "engine.thermal",
                      "expected a platform whose cooling is known, " + spec.platform.name +
                          " has none (platform.cooling.standard=cold-plate sets one)");
  check_formats(spec.platform, spec.llm);
  if (spec.draft) check_formats(spec.platform, *spec.draft);
  const auto* steady = std::get_if<SteadyDecode>(&spec.workload);
  if (steady && steady->context + steady->steps > spec.llm.max_context)
    throw InfeasibleError("workload.context: " + std::to_string(steady->context) + " and " +
                          std::to_string(steady->steps) + " steps pass the " +
                          std::to_string(spec.llm.max_context) + " tokens " + spec.llm.name +
                          " can attend to");
}

/// A number per request that those of one session share, and no others.
std::vector<std::uint64_t> sessions_of(const Trace& trace) {
  std::vector<std::uint64_t> session_of;
  session_of.reserve(trace.requests.size());
  for (const Request& r : trace.requests) {
    const auto id = static_cast<std::uint64_t>(r.id);
    session_of.push_back(r.session ? combine64(1, *r.session) : combine64(2, id));
  }
  return session_of;
}

/// SystemC's own reports go where ours go; what it calls an error or worse stops the run.
void forward_systemc_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  auto& log = logger("systemc");
  switch (report.get_severity()) {
    case sc_core::SC_INFO:
      log.debug("{}", report.get_msg());
      return;
    case sc_core::SC_WARNING:
      log.warn("{}", report.what());
      return;
    default:
      sc_core::sc_report_handler::default_handler(report, actions);
  }
}

}  // namespace

RunResult run_simulation(const RunSpec& spec, const Trace* trace,
                         const std::function<void(const RunProgress&)>& on_progress,
                         const RunViews& views) {
  check_supported(spec, trace);
  std::optional<ExpertRouter> router;
  if (spec.llm.moe) router.emplace(spec.llm, spec.seed);
  if (router && trace) router->share_topics(sessions_of(*trace));
  std::optional<ExpertRouter> draft_router;
  if (spec.draft && spec.draft->moe) draft_router.emplace(*spec.draft, spec.seed);
  const Routers routers{router ? &*router : nullptr, draft_router ? &*draft_router : nullptr};
  auto& log = logger("engine");
  const std::vector<Site> sites = plan_sites(spec, trace, routers);
  const Placement& placement = sites.front().plans.front()->placement;
  log.info("{} on {} x {} dies: {}, {:.1f} % of a token's active weights expected from sram",
           spec.llm.name, sites.size(), dies(sites.front().plans.front()->platform),
           to_string(placement.plan), placement.sram_fraction_expected * 100);
  log.info("kv room: {} pages of {} tokens in each of {} replicas", placement.kv.pages,
           placement.kv.page_tokens, placement.kv.replicas);
  if (sc_core::sc_get_status() != sc_core::SC_ELABORATION) renew_kernel();
  sc_core::sc_set_time_resolution(1, sc_core::SC_PS);
  Simulation simulation{"simulation", spec, trace, sites, routers, on_progress, views};
  sc_core::sc_report_handler::set_handler(forward_systemc_report);
  RunResult result = simulation.run();
  if (views.observer != nullptr) views.observer->ended(result);
  log.info("{} steps, {} simulated, {} tokens in {:.6f} s", result.steps, result.recall.simulated,
           result.output_tokens, seconds(result.duration));
  return result;
}

}  // namespace reticle
