// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/instance.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"
#include "sim/base/log.hpp"
#include "sim/engine/early_exit_executor.hpp"
#include "sim/engine/elaboration_order.hpp"
#include "sim/engine/speculative_executor.hpp"
#include "sim/engine/step_anatomy.hpp"
#include "sim/metrics/add_instances.hpp"

namespace reticle {

namespace {
// residency.csv and activity.csv stay files one can plot.
constexpr std::size_t kMostSamples = 4096;
constexpr std::size_t kMostSpans = 1024;

KvCapacity capacity_of(const KvRoom& room) {
  return {.page_tokens = room.page_tokens,
          .page_bytes = room.page_bytes,
          .pages = room.pages,
          .replicas = room.replicas,
          .dies = room.dies,
          .stages = room.stages};
}

/// Of an adapter of each rank, all dies together.
std::vector<Bytes> adapter_bytes(const Placement& placement) {
  std::vector<Bytes> all;
  if (!placement.adapters) return all;
  for (std::size_t rank = 0; rank < placement.adapters->ranks.size(); ++rank)
    all.push_back(placement.kv.replicas * placement.adapters->replica_bytes(rank));
  return all;
}

/// The platform whose components take the form the fidelity asks for; at `transaction` each keeps
/// the form its own key names.
PlatformSpec silicon_of(PlatformSpec platform, Fidelity fidelity) {
  if (fidelity != Fidelity::Cycle) return platform;
  platform.die.sram.form = platform.fabric.form = ModelForm::Cycle;
  if (platform.die.hbm) platform.die.hbm->form = ModelForm::Cycle;
  return platform;
}

std::int64_t layers_of(const OpGraph& graph) {
  std::set<std::int64_t> layers;
  for (const Operator& op : graph.operators)
    if (op.layer >= 0) layers.insert(op.layer);
  return std::ssize(layers);
}
}  // namespace

Instance::Instance(const sc_core::sc_module_name& name, std::int32_t number, const RunSpec& spec,
                   const InstancePlan& plan, const Routers& routers, std::int64_t block_tokens,
                   ServingRole role, InstanceListener& listener, const RunViews& views)
    : sc_module{name},
      number_{number},
      spec_{spec},
      plan_{plan},
      listener_{listener},
      views_{views},
      scheduler_{spec.serving, capacity_of(plan.placement.kv), block_tokens, role,
                 adapter_bytes(plan.placement)},
      activity_{kMostSpans},
      log_{logger("engine")} {
  result_.placement = plan.placement;
  result_.plan_target = plan.target;
  result_.plan_options = plan.options;
  if (spec.engine.fidelity != Fidelity::Roofline)
    deployment_ = std::make_unique<Deployment>(
        "deployment", silicon_of(plan.platform, spec.engine.fidelity),
        elaboration_order(static_cast<std::size_t>(dies(plan.platform)),
                          spec.engine.reverse_elaboration, "dies"));
  // What follows within a step takes no time of the host.
  if (spec.engine.thermal) {
    // Of a node's limit, what its packages here have a right to.
    PlatformSpec mine = plan.platform;
    mine.node_power_limit_w *= static_cast<double>(mine.packages_per_node) /
                               static_cast<double>(spec.platform.packages_per_node);
    governor_.emplace(mine, plan.placement.kv.tier, number);
  }
  quiet_platform_ = plan.platform;
  quiet_platform_.die.sequencer.step_overhead = Picoseconds{0};
  compose(routers);
  SC_HAS_PROCESS(Instance);
  SC_THREAD(loop);
}

/// The model alone, cut in two for those that exit early, or behind a draft.
void Instance::compose(const Routers& routers) {
  const LlmSpec& llm = spec_.llm;
  const auto& [platform, placement] = std::tie(plan_.platform, plan_.placement);
  const OpGraph graph = build_op_graph(llm);
  const EarlyExitSpec& exits = spec_.serving.early_exit;
  if (exits.share == 0) {
    model_.build(*this, platform, llm, placement, routers.model, graph);
  } else {
    if (placement.plan.pipeline > 1)
      throw ConfigError({}, "serving.early_exit_share",
                        "expected placement.pipeline_parallel: 1, got a plan of several stages");
    const auto last = std::max<std::int64_t>(
        1, std::llround(exits.layers * static_cast<double>(llm.layer_count())));
    model_.build(*this, platform, llm, placement, routers.model,
                 part_of(graph, [&](const Operator& op) { return op.layer < last; }));
    second_.build(*this, quiet_platform_, llm, placement, routers.model,
                  part_of(graph, [&](const Operator& op) {
                    return op.layer >= last || (op.layer < 0 && op.kind != OperatorKind::Embed);
                  }));
    composed_ = std::make_unique<EarlyExitExecutor>(model_.executor(), second_.executor(), exits);
  }
  if (!spec_.draft) return;
  second_.build(*this, quiet_platform_, *spec_.draft, *plan_.draft, routers.draft,
                build_op_graph(*spec_.draft));
  composed_ = std::make_unique<SpeculativeExecutor>(model_.executor(), second_.executor());
}

/// What carries out the steps of one model, and remembers those alike.
void Instance::Engine::build(const Instance& at, const PlatformSpec& platform, const LlmSpec& llm,
                             const Placement& placement, const ExpertRouter* router,
                             OpGraph graph) {
  const EngineSpec& spec = at.spec_.engine;
  const bool draft = at.spec_.draft && &llm == &*at.spec_.draft;
  const ServingSpec& serving = at.spec_.serving;
  HostTime host{.step = platform.die.sequencer.step_overhead, .stream = {}};
  if (!draft) {
    host.step += layers_of(graph) * serving.layer_overhead;
    host.stream = serving.stream_overhead;
  }
  lowering = std::make_unique<Lowering>(platform, llm, placement, router, std::move(graph));
  if (at.deployment_) {
    auto on_silicon =
        std::make_unique<SiliconExecutor>(*lowering, *at.deployment_, platform, placement, host);
    watchable = on_silicon.get();
    watchable->take_apart(at.views_.anatomy);
    silicon = std::move(on_silicon);
  } else {
    silicon = std::make_unique<RooflineExecutor>(*lowering, platform, placement);
  }
  const bool steady = std::holds_alternative<SteadyDecode>(at.spec_.workload);
  if (spec.recall == RecallMode::On ||
      (spec.recall == RecallMode::Auto && !steady && spec.fidelity != Fidelity::Roofline))
    recall = std::make_unique<RecallExecutor>(*silicon, platform, llm, placement, router, spec);
}

StepExecutor& Instance::Engine::executor() const {
  if (recall) return *recall;
  return *silicon;
}

void Instance::Engine::watch(RunObserver* observer, std::int32_t instance) const {
  if (watchable != nullptr) watchable->watch(observer, instance);
  if (recall) recall->set_exact(observer != nullptr);
}

void Instance::loop() {
  // An exception must not cross the kernel's coroutine.
  try {
    while (true) {
      // Whatever arrives at the time a step ends is there when the next one is planned.
      sc_core::wait(sc_core::SC_ZERO_TIME);
      if (!step()) sc_core::wait(work_);
    }
  } catch (...) {
    listener_.broke(std::current_exception());
  }
}

/// False when there is nothing to do.
bool Instance::step() {
  if (failed_at_ || !listener_.go_on()) return false;
  const StepLoad& load = scheduler_.plan(admitted_, now());
  for (const Admitted& a : admitted_) listener_.admitted(number_, a);
  for (const RequestId id : scheduler_.refused())
    listener_.refused(number_, id, id != scheduler_.stuck());
  if (load.empty()) return !scheduler_.refused().empty();
  const Picoseconds begun = now();
  result_.batch_peak =
      std::max(result_.batch_peak, static_cast<std::int64_t>(load.sequences.size()));

  const bool watched =
      views_.observer != nullptr && views_.observer->wants(number_, result_.steps + 1);
  if (views_.observer != nullptr)
    for (const Engine* engine : {&model_, &second_})
      engine->watch(watched ? views_.observer : nullptr, number_);
  if (governor_) governor_->idle_until(begun);
  StepOutcome outcome = composed_ ? composed_->execute(load) : model_.executor().execute(load);
  if (governor_) govern(outcome);
  account(load, outcome, begun);
  if (failed_at_) return false;
  ++result_.steps;
  result_.prefill_tokens += scheduler_.prompt_tokens();
  std::int64_t tokens = 0, finished = 0;
  for (const Progress& p : scheduler_.complete(now())) {
    tokens += p.tokens;
    finished += p.finished && !p.goes_on;
    listener_.progressed(number_, p);
  }
  result_.output_tokens += tokens;
  if (spec_.engine.step_rows) add_row(load, outcome, tokens);
  add_activity(outcome, tokens, finished);
  sample_residency();
  if (watched)
    views_.observer->scheduled({.instance = number_,
                                .number = result_.steps,
                                .begun = begun,
                                .ended = now(),
                                .load = load,
                                .outcome = outcome,
                                .after = residency(),
                                .home = plan_.placement.kv.tier});
  listener_.stepped();
  return true;
}

/// Time of all its models' steps that were simulated.
Picoseconds Instance::simulated() const {
  Picoseconds sum{};
  for (const Engine* engine : {&model_, &second_})
    if (engine->watchable != nullptr) sum += engine->watchable->simulated();
  return sum;
}

/// Lets the step take what it takes at the present clock.
void Instance::govern(StepOutcome& outcome) {
  if (simulated() > dies_known_) {
    dies_known_ = simulated();
    governor_->set_dies(die_counts());
  }
  sc_core::wait(to_sc_time(governor_->stretch(outcome)));
  governor_->worked(outcome);
}

std::vector<EventCounts> Instance::die_counts() const {
  std::vector<EventCounts> all;
  for (std::size_t d = 0; d < deployment_->size(); ++d)
    all.push_back(deployment_->counts(DieId{static_cast<std::uint32_t>(d)}));
  return all;
}

void Instance::add_activity(const StepOutcome& outcome, std::int64_t output_tokens,
                            std::int64_t finished) {
  const std::int64_t preemptions = scheduler_.preemption_stats().preemptions;
  activity_.add({.begun = std::exchange(last_end_, now()),
                 .ended = now(),
                 .instance = number_,
                 .busy = outcome.duration,
                 .steps = 1,
                 .output_tokens = output_tokens,
                 .prefill_tokens = scheduler_.prompt_tokens(),
                 .admitted = std::ssize(admitted_),
                 .finished = finished,
                 .preemptions = preemptions - std::exchange(preemptions_told_, preemptions),
                 .running = scheduler_.running(),
                 .waiting = scheduler_.waiting(),
                 .kv_used = scheduler_.kv().used(),
                 .counts = {}},
                outcome.counts);
}

void Instance::add_row(const StepLoad& load, const StepOutcome& outcome,
                       std::int64_t output_tokens) {
  StepRow row{.begun = now() - outcome.duration,
              .took = outcome.duration,
              .instance = number_,
              .output_tokens = output_tokens,
              .running = scheduler_.running(),
              .waiting = scheduler_.waiting(),
              .kv_used = scheduler_.kv().used()};
  for (const SequenceWork& s : load.sequences)
    s.decodes() ? ++row.decodes : row.prefill_tokens += s.new_tokens;
  const auto most = std::ranges::max_element(outcome.breakdown);
  row.mostly = static_cast<TimeCategory>(most - outcome.breakdown.begin());
  result_.step_rows.push_back(row);
}

void Instance::account(const StepLoad& load, const StepOutcome& outcome, Picoseconds begun) {
  invariant(now() - begun == outcome.duration, "a step takes its duration of simulated time");
  Picoseconds sum{};
  for (const Picoseconds part : outcome.breakdown) sum += part;
  invariant(sum == outcome.duration, "where the time went adds up to the step");
  // A step that a fault ends is charged as far as it came; its events, of which nobody knows how
  // many had come to pass, are not counted.
  const Picoseconds took = failed_at_ ? *failed_at_ - begun : outcome.duration;
  Picoseconds charged{};
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) {
    const Picoseconds part =
        took == outcome.duration
            ? outcome.breakdown[c]
            : min(took - charged, Picoseconds{mul_div_up(outcome.breakdown[c].count(), took.count(),
                                                         outcome.duration.count())});
    result_.breakdown[c] += part;
    charged += part;
  }
  result_.busy += took;
  if (scheduler_.short_of_room()) result_.short_of_room += took;
  set_log_time(now());
  if (log_.should_log(spdlog::level::debug))
    log_.debug("step {}: {:.3f} us, {} running, {} waiting", result_.steps, seconds(took) * 1e6,
               scheduler_.running(), scheduler_.waiting());
  if (failed_at_) return;
  result_.counts += outcome.counts;
  result_.near_read += near_read(outcome.counts, plan_.placement.kv, load.moves);
  result_.picks += outcome.picks;
  result_.dropped_picks += outcome.dropped_picks;
  result_.experts += outcome.experts;
  result_.roofline_busy += outcome.roofline.duration;
  result_.roofline_limits[static_cast<std::size_t>(outcome.roofline.limit)] +=
      outcome.roofline.duration;
  kv_byte_seconds_ += static_cast<double>(scheduler_.kv().used().count()) * seconds(took);
  near_byte_seconds_ += static_cast<double>(scheduler_.kv().used_near().count()) * seconds(took);
}

void Instance::sample_residency() {
  const KvManager& kv = scheduler_.kv();
  const Bytes used = kv.used(), near = kv.used_near();
  result_.kv_peak = max(result_.kv_peak, used - near);
  result_.near_peak = max(result_.near_peak, near);
  if (result_.steps % sample_stride_ != 0) return;
  add_sample(residency());
}

ResidencySample Instance::residency() const {
  const KvManager& kv = scheduler_.kv();
  const Bytes used = kv.used(), near = kv.used_near();
  ResidencySample sample{.time = now(),
                         .instance = number_,
                         .kv_used = {{near, used - near}},
                         .running = scheduler_.running(),
                         .waiting = scheduler_.waiting(),
                         .weights = plan_.placement.weights};
  for (const KvPlace place : kPlacesBelow) sample.kv_used[place] = kv.resident(place);
  for (const KvPlace place : {KvPlace::Near, KvPlace::Home}) {
    sample.kv_cached[place] = kv.cached(place);
    sample.kv_reserved[place] = kv.resident(place) - kv.cached(place);
  }
  if (scheduler_.adapters()) sample.adapters = scheduler_.adapters()->stats().resident;
  return sample;
}

void Instance::add_sample(const ResidencySample& sample) {
  auto& all = result_.residency;
  all.push_back(sample);
  if (all.size() < kMostSamples) return;
  for (std::size_t i = 0; 2 * i < all.size(); ++i) all[i] = all[2 * i];
  all.resize(all.size() / 2);
  sample_stride_ *= 2;
}

void Instance::come_up() {
  last_end_ = now();
  sample_residency();
}

void Instance::fail() {
  failed_at_ = now();
  add_sample({.time = now(), .instance = number_});
}

InstanceResult Instance::result() {
  if (now().count() > 0) {
    result_.kv_mean = (kv_byte_seconds_ - near_byte_seconds_) / seconds(now());
    result_.near_mean = near_byte_seconds_ / seconds(now());
  }
  if (model_.recall)
    result_.recall = model_.recall->report();
  else
    result_.recall.simulated = result_.steps;
  if (second_.recall) add(result_.recall, second_.recall->report());
  result_.prefix = scheduler_.kv().prefix_stats();
  result_.prefix_block_bytes = scheduler_.kv().block_bytes();
  result_.preemption = scheduler_.preemption_stats();
  for (const KvPlace place : kKvPlaces) {
    result_.kv_tiers[place] = scheduler_.kv().tier_stats(place);
    result_.kv_tiers[place].resident = scheduler_.kv().resident(place);
  }
  result_.longest_context = scheduler_.longest_context();
  result_.dropped_tokens = scheduler_.dropped_tokens();
  result_.speculation = scheduler_.speculation_stats();
  if (scheduler_.adapters()) result_.adapters = scheduler_.adapters()->stats();
  result_.activity = activity_.spans();
  result_.simulated = simulated();
  if (governor_) {
    governor_->idle_until(now());
    result_.thermal = governor_->result();
  }
  if (model_.watchable != nullptr) {
    result_.anatomy = model_.watchable->anatomy();
    result_.dies = die_counts();
    result_.links = link_loads(*deployment_);
  }
  return std::move(result_);
}

}  // namespace reticle
