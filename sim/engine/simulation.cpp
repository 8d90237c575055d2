// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/simulation.hpp"

#include <algorithm>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"
#include "sim/base/log.hpp"

namespace reticle {

namespace {
constexpr std::size_t kMostSamples = 4096;  // residency.csv stays a file one can plot

Picoseconds scaled_arrival(const Request& request, const RunSpec& spec) {
  const double scale = std::get<TraceWorkload>(spec.workload).rate_scale;
  if (scale == 1.0) return request.arrival;
  return Picoseconds{
      static_cast<std::int64_t>(static_cast<double>(request.arrival.count()) / scale)};
}

KvCapacity capacity_of(const KvRoom& room) {
  return {.page_tokens = room.page_tokens,
          .page_bytes = room.page_bytes,
          .pages = room.pages,
          .replicas = room.replicas,
          .dies = room.dies,
          .stages = room.stages};
}

/// The platform whose components take the form the fidelity asks for; at `transaction` each keeps
/// the form its own key names.
PlatformSpec silicon_of(const RunSpec& spec) {
  PlatformSpec platform = spec.platform;
  if (spec.engine.fidelity != Fidelity::Cycle) return platform;
  platform.die.sram.form = platform.fabric.form = ModelForm::Cycle;
  if (platform.die.hbm) platform.die.hbm->form = ModelForm::Cycle;
  return platform;
}
}  // namespace

Simulation::Simulation(const sc_core::sc_module_name& name, const RunSpec& spec, const Trace* trace,
                       const Placement& placement, const ExpertRouter* router,
                       const std::function<void(const RunProgress&)>& on_progress)
    : sc_module{name},
      spec_{spec},
      trace_{trace},
      on_progress_{on_progress},
      lowering_{spec.platform, spec.llm, placement, router},
      scheduler_{spec.serving, capacity_of(placement.kv), trace ? trace->block_tokens : 0} {
  result_.placement = placement;
  if (trace && trace->block_tokens > 0 && spec.serving.prefix_cache != PrefixCachePolicy::Off &&
      !scheduler_.kv().shares())
    logger("engine").warn("{} keeps windows or states: prefixes are not shared", spec.llm.name);
  if (spec.engine.fidelity == Fidelity::Roofline) {
    silicon_ = std::make_unique<RooflineExecutor>(lowering_, spec.platform);
  } else {
    deployment_ = std::make_unique<Deployment>("deployment", silicon_of(spec),
                                               spec.engine.reverse_elaboration);
    silicon_ = std::make_unique<SiliconExecutor>(lowering_, *deployment_, spec.platform,
                                                 placement.kv.tier);
  }
  const bool steady = std::holds_alternative<SteadyDecode>(spec.workload);
  if (spec.engine.recall == RecallMode::On || (spec.engine.recall == RecallMode::Auto && !steady &&
                                               spec.engine.fidelity != Fidelity::Roofline))
    recall_ = std::make_unique<RecallExecutor>(*silicon_, spec.platform, spec.llm, placement,
                                               router, spec.engine);
  SC_HAS_PROCESS(Simulation);
  SC_THREAD(loop);
}

RunResult Simulation::run() {
  sc_core::sc_start();
  if (failure_) std::rethrow_exception(failure_);
  if (!finished_)
    throw SimulationError("stuck at " + std::to_string(seconds(now())) + " s with work pending:\n" +
                          (deployment_ ? deployment_->pending() : std::string{}));
  result_.duration = now();
  if (result_.duration.count() > 0) result_.kv_mean = kv_byte_seconds_ / seconds(result_.duration);
  if (recall_)
    result_.recall = recall_->report();
  else
    result_.recall.simulated = result_.steps;
  result_.prefix = scheduler_.kv().prefix_stats();
  result_.prefix_block_bytes = scheduler_.kv().block_bytes();
  result_.preemption = scheduler_.preemption_stats();
  result_.kernel_events = static_cast<std::int64_t>(sc_core::sc_delta_count());
  return std::move(result_);
}

void Simulation::loop() {
  // An exception must not cross the kernel's coroutine; it is thrown again after sc_start.
  try {
    serve();
    finished_ = true;
  } catch (...) {
    failure_ = std::current_exception();
  }
  sc_core::sc_stop();
}

void Simulation::serve() {
  if (const auto* steady = std::get_if<SteadyDecode>(&spec_.workload)) {
    begin_steady(*steady);
    while (step()) {
    }
    return;
  }
  for (const Request& request : trace_->requests)
    result_.requests.push_back({.id = request.id,
                                .arrival = scaled_arrival(request, spec_),
                                .input_tokens = request.input_tokens,
                                .output_tokens = request.output_tokens});
  while (true) {
    take_arrivals();
    if (step()) continue;
    if (next_arrival_ == result_.requests.size()) {
      if (result_.steps == 0) refuse_all();
      return;
    }
    const Picoseconds idle = result_.requests[next_arrival_].arrival - now();
    result_.breakdown[static_cast<std::size_t>(TimeCategory::Idle)] += idle;
    sc_core::wait(to_sc_time(idle));
  }
}

void Simulation::refuse_all() const {
  const KvCapacity& room = scheduler_.kv().room();
  throw InfeasibleError("none of the " + std::to_string(result_.requests.size()) +
                        " requests fits: a replica has room for " +
                        std::to_string(longest_sequence(room.stages)) + " tokens of KV, " +
                        spec_.llm.name + " attends to " + std::to_string(spec_.llm.max_context));
}

/// Says which of the two limits a steady batch passes, and by how much.
void Simulation::refuse_batch(const SteadyDecode& steady) const {
  const std::string batch = "workload.batch: " + std::to_string(steady.batch) + " streams";
  if (steady.batch > spec_.serving.max_batch)
    throw InfeasibleError(batch + " pass serving.max_batch, " +
                          std::to_string(spec_.serving.max_batch));
  const KvCapacity& room = scheduler_.kv().room();
  const std::int64_t tokens = steady.context + steady.steps;
  const bool pages_alone =
      std::all_of(room.stages.begin(), room.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone)
    throw InfeasibleError(batch + " of " + std::to_string(tokens) +
                          " tokens: " + std::to_string(room.replicas) + " replicas have room for " +
                          std::to_string(sequences_that_fit(room.stages, tokens)) +
                          " of them each");
  // Streams do not split over replicas: the fullest one needs its share rounded up.
  const std::int64_t needed =
      div_up(steady.batch, room.replicas) * scheduler_.kv().pages_for(tokens) * room.replicas;
  const std::int64_t have = room.pages * room.replicas;
  throw InfeasibleError(
      batch + " of " + std::to_string(tokens) + " tokens need " + std::to_string(needed) +
      " KV pages of " + std::to_string(room.page_bytes.count()) +
      " B, the deployment has room for " + std::to_string(have) + ": " +
      std::to_string((needed - have) * room.page_bytes.count()) + " B do not fit");
}

void Simulation::begin_steady(const SteadyDecode& steady) {
  for (std::int64_t i = 0; i < steady.batch; ++i) {
    const RequestId id{static_cast<std::uint64_t>(i)};
    if (!scheduler_.resume(id, steady.context, steady.steps)) refuse_batch(steady);
    result_.requests.push_back({.id = id,
                                .arrival = {},
                                .input_tokens = steady.context,
                                .output_tokens = steady.steps,
                                .generated = 0,
                                .admitted = Picoseconds{0}});
  }
  sample_residency();
}

void Simulation::take_arrivals() {
  auto& requests = result_.requests;
  for (; next_arrival_ < requests.size() && requests[next_arrival_].arrival <= now();
       ++next_arrival_) {
    const Request& request = trace_->requests[next_arrival_];
    const bool in_context = request.input_tokens + request.output_tokens <= spec_.llm.max_context;
    if (in_context && scheduler_.arrive(request)) continue;
    requests[next_arrival_].rejected = true;
    ++ended_requests_;
  }
}

/// False when there is nothing to do.
bool Simulation::step() {
  if (spec_.engine.max_steps > 0 && result_.steps >= spec_.engine.max_steps) {
    result_.stopped = ended_requests_ < std::ssize(result_.requests);
    next_arrival_ = result_.requests.size();
    return false;
  }
  const StepLoad& load = scheduler_.plan(admitted_);
  if (load.sequences.empty()) return false;
  const Picoseconds begun = now();
  for (const Admitted& a : admitted_) {
    RequestRecord& r = record(a.id);
    r.preemptions += a.again;
    if (r.admitted) continue;
    r.admitted = begun;
    r.prefix_hit_tokens = a.found;
  }
  for (const SequenceWork& s : load.sequences)
    if (s.context < record(s.request).input_tokens) result_.prefill_tokens += s.new_tokens;
  result_.batch_peak =
      std::max(result_.batch_peak, static_cast<std::int64_t>(load.sequences.size()));

  const StepOutcome outcome = recall_ ? recall_->execute(load) : silicon_->execute(load);
  account(outcome, begun);
  for (const Progress& p : scheduler_.complete()) {
    RequestRecord& r = record(p.request);
    if (p.tokens == 0) continue;
    result_.output_tokens += p.tokens;
    r.generated += p.tokens;
    if (r.last_token) ++result_.token_gaps[now() - *r.last_token];
    r.last_token = now();
    if (!r.first_token) r.first_token = now();
    if (p.finished) {
      r.finished = now();
      ++ended_requests_;
    }
  }
  ++result_.steps;
  sample_residency();
  report_progress();
  return true;
}

void Simulation::account(const StepOutcome& outcome, Picoseconds begun) {
  const Picoseconds took = now() - begun;
  invariant(took == outcome.duration, "a step takes its duration of simulated time");
  Picoseconds sum{};
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) {
    result_.breakdown[c] += outcome.breakdown[c];
    sum += outcome.breakdown[c];
  }
  invariant(sum == took, "where the time went adds up to the step");
  result_.busy += took;
  set_log_time(now());
  auto& log = logger("engine");
  if (log.should_log(spdlog::level::debug))
    log.debug("step {}: {:.3f} us, {} running, {} waiting", result_.steps, seconds(took) * 1e6,
              scheduler_.running(), scheduler_.waiting());
  result_.counts += outcome.counts;
  result_.picks += outcome.picks;
  result_.dropped_picks += outcome.dropped_picks;
  result_.roofline_busy += outcome.roofline.duration;
  result_.roofline_limits[static_cast<std::size_t>(outcome.roofline.limit)] +=
      outcome.roofline.duration;
  kv_byte_seconds_ += static_cast<double>(scheduler_.kv().used().count()) * seconds(took);
}

void Simulation::sample_residency() {
  const Bytes used = scheduler_.kv().used();
  result_.kv_peak = max(result_.kv_peak, used);
  if (result_.steps % sample_stride_ != 0) return;
  result_.residency.push_back({now(), used, scheduler_.kv().reserved(), scheduler_.kv().cached(),
                               scheduler_.running(), scheduler_.waiting()});
  if (result_.residency.size() < kMostSamples) return;
  auto& all = result_.residency;
  for (std::size_t i = 0; 2 * i < all.size(); ++i) all[i] = all[2 * i];
  all.resize(all.size() / 2);
  sample_stride_ *= 2;
}

void Simulation::report_progress() {
  if (!on_progress_) return;
  const auto* steady = std::get_if<SteadyDecode>(&spec_.workload);
  on_progress_({steady ? result_.steps : ended_requests_,
                steady ? steady->steps : static_cast<std::int64_t>(result_.requests.size()), now(),
                result_.steps});
}

}  // namespace reticle
