// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>
#include <utility>

#include "models/kernel/own_stack.hpp"
#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"
#include "sim/base/log.hpp"
#include "sim/base/rng.hpp"
#include "sim/engine/elaboration_order.hpp"
#include "sim/metrics/add_instances.hpp"

namespace reticle {

namespace {
ServingRole role_of(const ServingSpec& serving, std::size_t place) {
  if (serving.prefill_instances == 0) return ServingRole::Both;
  return static_cast<std::int64_t>(place) < serving.prefill_instances ? ServingRole::Prefill
                                                                      : ServingRole::Decode;
}

/// The dies of place `place`, each of which has `part` dies when whole, that hold a share of what
/// replica `replica` has in its cache.
std::vector<DieId> dies_of(const InstancePlan& plan, std::int64_t part, std::size_t place,
                           std::int32_t replica) {
  const ParallelPlan& p = plan.placement.plan;
  const std::int64_t first = static_cast<std::int64_t>(place) * part;
  std::vector<DieId> out;
  for (std::int64_t stage = 0; stage < p.pipeline; ++stage)
    for (std::int64_t i = 0; i < p.tensor; ++i)
      out.push_back(DieId{
          static_cast<std::uint32_t>(first + stage * p.stage_dies() + replica * p.tensor + i)});
  return out;
}
/// a x b, which may pass 64 bits: to six digits then.
std::string product_text(std::int64_t a, std::int64_t b) {
  std::int64_t exact = 0;
  if (!__builtin_mul_overflow(a, b, &exact)) return std::to_string(exact);
  std::ostringstream text;
  text << static_cast<double>(a) * static_cast<double>(b);
  return text.str();
}
}  // namespace

Simulation::Simulation(const sc_core::sc_module_name& name, const RunSpec& spec, const Trace* trace,
                       const std::vector<Site>& sites, const Routers& routers,
                       const std::function<void(const RunProgress&)>& on_progress,
                       const RunViews& views)
    : sc_module{name},
      spec_{spec},
      trace_{trace},
      routers_{routers},
      on_progress_{on_progress},
      stop_asked_{views.stop_asked},
      places_(sites.size()),
      router_{spec.serving.routing, spec.serving.instances},
      decode_router_{spec.serving.routing, spec.serving.instances} {
  if (spec.serving.lora) adapters_.emplace(*spec.serving.lora);
  const std::int64_t block_tokens = trace ? trace->block_tokens : 0;
  for (const std::size_t p :
       elaboration_order(sites.size(), spec.engine.reverse_elaboration, "instances")) {
    Place& place = places_[p];
    place.site = &sites[p];
    place.role = role_of(spec.serving, p);
    for (const auto& plan : sites[p].plans) {
      const std::string label =
          "instance" + std::to_string(p) + "_" + std::to_string(place.instances.size());
      place.instances.push_back(
          plan ? std::make_unique<Instance>(label.c_str(), static_cast<std::int32_t>(p), spec,
                                            *plan, routers, block_tokens, place.role, *this, views)
               : nullptr);
    }
  }
  if (spec.serving.prefill_instances > 0)
    network_ = std::make_unique<KvNetwork>("kv_network", spec.platform.fabric, dies(spec.platform));
  result_.prefixes_unshared = block_tokens > 0 &&
                              spec.serving.prefix_cache != PrefixCachePolicy::Off &&
                              !places_.front().instance().scheduler().kv().shares();
  SC_HAS_PROCESS(Simulation);
  SC_THREAD(arrive);
  SC_THREAD(fail);
}

RunResult Simulation::run() {
  constexpr Picoseconds kMostTime{std::numeric_limits<std::int64_t>::max()};
  sc_core::sc_start(to_sc_time(kMostTime), sc_core::SC_EXIT_ON_STARVATION);
  tell_own_stack();
  if (failure_) std::rethrow_exception(failure_);
  if (!finished_ && sc_core::sc_pending_activity())
    throw SimulationError(
        "the run passes 106 days of simulated time, the most that 64 bits of "
        "picoseconds hold");
  if (!finished_) {
    std::string pending;
    for (const Place& place : places_) pending += place.instance().pending();
    throw SimulationError("stuck at " + std::to_string(seconds(now())) + " s with work pending:\n" +
                          pending);
  }
  result_.duration = now();
  rate_faults(result_.faults, token_log_, last_arrival_, now());
  std::vector<InstanceResult> parts;
  for (Place& place : places_) {
    parts.push_back(result_of(place));
    // What a decoder finds of a prompt is not sent to it, but a prompt counts once.
    if (place.role == ServingRole::Decode) parts.back().prefix = {};
  }
  static_cast<InstanceResult&>(result_) = add_instances(parts);
  if (parts.size() > 1) {
    for (InstanceResult& part : parts) {
      part.residency.clear();
      part.step_rows.clear();
      part.activity.clear();
    }
    result_.instances = std::move(parts);
  }
  if (network_) {
    result_.handover = {network_->transfers(), network_->sent(), network_->in_flight()};
    EventCounts links;
    for (const LinkStats& level : network_->stats()) {
      links.link_bytes.push_back(level.bytes);
      links.link_busy.push_back(level.busy);
    }
    result_.counts += links;
  }
  result_.kernel_events = static_cast<std::int64_t>(sc_core::sc_delta_count());
  return std::move(result_);
}

/// What all instances of a place have done; who does nothing is idle.
InstanceResult Simulation::result_of(Place& place) const {
  InstanceResult total = place.instances.front()->result();
  for (std::size_t epoch = 1; epoch < place.instances.size(); ++epoch)
    if (place.instances[epoch]) add_epoch(total, place.instances[epoch]->result());
  total.breakdown[static_cast<std::size_t>(TimeCategory::Idle)] += result_.duration - total.busy;
  fill_gaps(total.activity, result_.duration);
  return total;
}

void Simulation::stop() {
  if (finished_) return;
  finished_ = true;
  turn_.notify(sc_core::SC_ZERO_TIME);
  sc_core::sc_stop();
}

void Simulation::broke(std::exception_ptr error) {
  if (!failure_) failure_ = std::move(error);
  stop();
}

void Simulation::arrive() {
  // An exception must not cross the kernel's coroutine; it is thrown again after sc_start.
  try {
    if (const auto* steady = std::get_if<SteadyDecode>(&spec_.workload)) {
      begin_steady(*steady);
      return;
    }
    const auto& workload = std::get<TraceWorkload>(spec_.workload);
    arrivals_ = std::make_unique<Arrivals>(*trace_, workload.rate_scale, workload.closed_loop);
    for (const Request& request : trace_->requests)
      result_.requests.push_back({.id = request.id,
                                  .arrival = {},
                                  .input_tokens = request.input_tokens,
                                  .output_tokens = request.output_tokens,
                                  .adapter = adapters_ ? adapters_->of(request) : std::nullopt});
    while (!finished_) {
      const auto next = arrivals_->next();
      if (!next)
        sc_core::wait(turn_);
      else if (*next > now())
        sc_core::wait(to_sc_time(*next - now()), turn_);
      else
        take(arrivals_->take());
    }
  } catch (...) {
    broke(std::current_exception());
  }
}

void Simulation::take(RequestId id) {
  record(id).arrival = last_arrival_ = now();
  const Ticket ticket = ticket_for(id);
  record(id).output_tokens = ticket.output;
  record(id).priority = ticket.priority;
  if (ticket.length() > spec_.llm.max_context) return refuse(id, Refusal::Context);
  // Whoever prefills it, somebody must be able to hold all of it.
  const bool fits = std::ranges::any_of(places_, [&](const Place& place) {
    return place.role != ServingRole::Prefill && place.up_or_back() &&
           place.instance().scheduler().kv().ever_fits(spec_.serving.kept(ticket.length()));
  });
  const ServingRole role =
      spec_.serving.prefill_instances > 0 ? ServingRole::Prefill : ServingRole::Both;
  if (!fits || !dispatch(ticket, role))
    refuse(id, fitted_at_first(ticket) ? Refusal::Fault : Refusal::Room);
}

/// Whether an instance that nothing had happened to would have room for it.
bool Simulation::fitted_at_first(const Ticket& ticket) const {
  const auto& stages = places_.back().site->plans.front()->placement.kv.stages;
  return sequences_that_fit(stages, spec_.serving.kept(ticket.length())) >= 1;
}

void Simulation::refuse(RequestId id, Refusal why) {
  drop_cache(id);
  record(id).rejected = true;
  record(id).refusal = why;
  ended(id);
}

/// A request as it is served: hidden thinking may be stopped early, and some are put into the
/// background.
Ticket Simulation::ticket_for(RequestId id) {
  const Request& request = trace_->requests[static_cast<std::size_t>(id)];
  Ticket ticket = ticket_of(request);
  ticket.adapter = record(id).adapter;
  const auto& workload = std::get<TraceWorkload>(spec_.workload);
  const std::uint64_t who = request.session.value_or(static_cast<std::uint64_t>(id));
  if (unit_interval(mix64(combine64(workload.seed, who))) < workload.background_share)
    ticket.priority = std::max<std::int64_t>(1, ticket.priority);
  const ThinkingSpec& policy = spec_.serving.thinking;
  const auto share = static_cast<std::int64_t>(
      std::ceil(policy.share * static_cast<double>(request.thinking_tokens)));
  const std::int64_t kept =
      std::min({request.thinking_tokens, share, policy.budget.value_or(request.thinking_tokens)});
  ticket.output = std::max<std::int64_t>(1, ticket.output - (request.thinking_tokens - kept));
  return ticket;
}

bool Simulation::dispatch(const Ticket& ticket, ServingRole role) {
  std::vector<InstanceLoad> loads;
  for (const Place& place : places_) {
    loads.push_back(place.load);
    loads.back().up &= place.role == role;
  }
  RequestRouter& router = role == ServingRole::Decode ? decode_router_ : router_;
  const Request& request = trace_->requests[static_cast<std::size_t>(ticket.id)];
  while (std::ranges::any_of(loads, &InstanceLoad::up)) {
    const std::size_t chosen = router.choose(request, loads);
    Place& place = places_[chosen];
    Ticket mine = ticket;
    mine.arrival = record(ticket.id).arrival;
    if (place.instance().scheduler().arrive(mine)) {
      ++place.load.requests;
      place.instance().wake();
      return true;
    }
    loads[chosen].up = false;  // less is left there than elsewhere
  }
  // Nobody is there: it waits for the first who comes back.
  for (Place& place : places_) {
    if (place.role != role || place.load.up || !place.up_or_back()) continue;
    place.held_back.push_back(ticket);
    return true;
  }
  return false;
}

void Simulation::refuse_all() const {
  const KvCapacity& room = places_.front().instance().scheduler().kv().room();
  throw InfeasibleError("none of the " + std::to_string(result_.requests.size()) +
                        " requests fits: a replica has room for " +
                        std::to_string(longest_sequence(room.stages)) + " tokens of KV, " +
                        spec_.llm.name + " attends to " + std::to_string(spec_.llm.max_context));
}

/// Says which of the two limits a steady batch passes, and by how much.
void Simulation::refuse_batch(const SteadyDecode& steady) const {
  const std::string batch = "workload.batch: " + std::to_string(steady.batch) + " streams";
  if (div_up(steady.batch, std::ssize(places_)) > spec_.serving.max_batch)
    throw InfeasibleError(batch + " pass serving.max_batch, " +
                          std::to_string(spec_.serving.max_batch) +
                          (places_.size() > 1 ? " per instance" : ""));
  const KvCapacity& room = places_.front().instance().scheduler().kv().room();
  const std::int64_t tokens = steady.context + steady.steps;
  const bool pages_alone =
      std::all_of(room.stages.begin(), room.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone)
    throw InfeasibleError(batch + " of " + std::to_string(tokens) +
                          " tokens: " + std::to_string(room.replicas * std::ssize(places_)) +
                          " replicas have room for " +
                          std::to_string(sequences_that_fit(room.stages, tokens)) +
                          " of them each" + what_would_hold(steady));
  // Streams do not split over replicas: the fullest one needs its share rounded up.
  const auto copies = room.replicas * std::ssize(places_);
  const std::int64_t needed =
      div_up(steady.batch, copies) * div_up(tokens, room.page_tokens) * copies;
  const std::int64_t have = room.pages * copies;
  throw InfeasibleError(batch + " of " + std::to_string(tokens) + " tokens need " +
                        std::to_string(needed) + " KV pages of " +
                        std::to_string(room.page_bytes.count()) +
                        " B, the deployment has room for " + std::to_string(have) + ": " +
                        product_text(needed - have, room.page_bytes.count()) + " B do not fit" +
                        what_would_hold(steady));
}

/// The deployment that holds the streams of a steady batch, for a run on one instance.
std::string Simulation::what_would_hold(const SteadyDecode& steady) const {
  if (places_.size() > 1) return {};
  const auto nodes = smallest_nodes(spec_.platform, spec_.llm, spec_.placement, routers_.model,
                                    {.sequences = steady.batch,
                                     .tokens = steady.context + steady.steps,
                                     .page_tokens = spec_.serving.kv_page_tokens,
                                     .max_tokens = steady.batch});
  if (!nodes) return "; no number of nodes that was tried would do";
  return "; " + std::to_string(*nodes) +
         " nodes would hold them (--set platform.nodes=" + std::to_string(*nodes) + ")";
}

/// Streams of a steady decode all run at once, so all their adapters are there at once.
void Simulation::check_slots(const SteadyDecode& steady) const {
  std::vector<std::set<std::uint32_t>> asked(places_.size());
  for (std::int64_t i = 0; i < steady.batch; ++i)
    asked[static_cast<std::size_t>(i % std::ssize(places_))].insert(
        adapters_->of_stream(static_cast<std::uint64_t>(i)));
  for (const auto& of_place : asked)
    if (std::ssize(of_place) > spec_.serving.lora->family.slots)
      throw InfeasibleError("workload.batch: " + std::to_string(steady.batch) +
                            " streams run with " + std::to_string(of_place.size()) +
                            " adapters at once, serving.lora.slots holds " +
                            std::to_string(spec_.serving.lora->family.slots));
}

void Simulation::begin_steady(const SteadyDecode& steady) {
  if (adapters_) check_slots(steady);
  for (std::int64_t i = 0; i < steady.batch; ++i) {
    const RequestId id{static_cast<std::uint64_t>(i)};
    Place& place = places_[static_cast<std::size_t>(i % std::ssize(places_))];
    std::optional<std::uint32_t> adapter;
    if (adapters_) adapter = adapters_->of_stream(static_cast<std::uint64_t>(i));
    if (!place.instance().scheduler().resume(id, steady.context, steady.steps, adapter))
      refuse_batch(steady);
    result_.requests.push_back({.id = id,
                                .arrival = {},
                                .input_tokens = steady.context,
                                .output_tokens = steady.steps,
                                .generated = 0,
                                .admitted = Picoseconds{0},
                                .adapter = adapter});
  }
  for (Place& place : places_) {
    place.instance().sample_residency();
    place.instance().wake();
  }
}

bool Simulation::go_on() {
  if (finished_) return false;
  if (on_progress_) {
    const auto* steady = std::get_if<SteadyDecode>(&spec_.workload);
    on_progress_({steady ? steps_ : ended_requests_,
                  steady ? steady->steps * std::ssize(places_) : std::ssize(result_.requests),
                  now(), steps_});
  }
  return true;
}

void Simulation::stepped() {
  ++steps_;
  if (!spec_.serving.faults.empty()) token_log_.add(now(), output_tokens_);
  if (finished_) return;
  if (stop_asked_ && stop_asked_()) return give_up("by an interrupt");
  if (spec_.engine.max_steps == 0 || steps_ < spec_.engine.max_steps) return;
  result_.ended_by = "after engine.max_steps=" + std::to_string(spec_.engine.max_steps);
  stop();
}

void Simulation::admitted(std::int32_t instance, const Admitted& admitted) {
  RequestRecord& r = record(admitted.id);
  r.preemptions += admitted.again;
  if (!r.admitted) {
    r.admitted = now();
    r.prefix_hit_tokens = admitted.found;
  }
  if (admitted.awaits_cache) send_cache(static_cast<std::size_t>(instance), admitted);
}

void Simulation::refused(std::int32_t instance, RequestId request, bool late) {
  --places_[static_cast<std::size_t>(instance)].load.requests;
  refuse(request, late ? Refusal::Late : Refusal::Room);
}

void Simulation::progressed(std::int32_t instance, const Progress& progress) {
  if (progress.tokens == 0) return;
  RequestRecord& r = record(progress.request);
  r.generated += progress.tokens;
  output_tokens_ += progress.tokens;
  if (r.last_token) result_.token_gaps.add(now() - *r.last_token);
  // Those that come together follow each other at once.
  if (progress.tokens > 1) result_.token_gaps.add(Picoseconds{0}, progress.tokens - 1);
  r.last_token = now();
  if (!r.first_token) r.first_token = now();
  if (!progress.finished) return;
  Place& place = places_[static_cast<std::size_t>(instance)];
  --place.load.requests;
  if (r.generated < r.output_tokens) return hand_over(instance, progress.request);
  r.finished = now();
  ended(progress.request);
}

/// The prompt is in the cache of an instance that does not decode.
void Simulation::hand_over(std::int32_t from, RequestId id) {
  prefilled_at_[id] = static_cast<std::size_t>(from);
  Ticket ticket = ticket_for(id);
  ticket.generated = record(id).generated;
  ticket.computed = true;
  if (!dispatch(ticket, ServingRole::Decode)) refuse(id, Refusal::Fault);
}

/// The cache of a request that nobody will decode is not kept for it.
void Simulation::drop_cache(RequestId id) {
  const auto entry = prefilled_at_.find(id);
  if (entry == prefilled_at_.end()) return;
  places_[entry->second].instance().scheduler().handed_over(id);
  places_[entry->second].instance().wake();
  prefilled_at_.erase(entry);
}

void Simulation::send_cache(std::size_t to, const Admitted& admitted) {
  const auto entry = prefilled_at_.find(admitted.id);
  invariant(entry != prefilled_at_.end(), "a cache that is awaited is somewhere");
  const std::size_t from = entry->second;
  prefilled_at_.erase(entry);
  Instance& source = places_[from].instance();
  Instance& target = places_[to].instance();
  const KvManager& kv = target.scheduler().kv();
  const RequestRecord& r = record(admitted.id);
  const Bytes size =
      kv.held(spec_.serving.kept(r.input_tokens + r.generated - 1)) - kv.paged(admitted.found);
  const std::int64_t part = dies(spec_.platform) / std::ssize(places_);
  network_->send(dies_of(source.plan(), part, from, source.scheduler().replica_of(admitted.id)),
                 dies_of(target.plan(), part, to, target.scheduler().replica_of(admitted.id)), size,
                 [this, id = admitted.id, from, to, &source, &target] {
                   // Either end may have failed since.
                   if (&places_[from].instance() == &source && places_[from].load.up) {
                     source.scheduler().handed_over(id);
                     source.wake();
                   }
                   if (&places_[to].instance() == &target && places_[to].load.up) {
                     target.scheduler().delivered(id);
                     target.wake();
                   }
                 });
}

void Simulation::ended(RequestId id) {
  ++ended_requests_;
  if (!arrivals_) {
    if (ended_requests_ == std::ssize(result_.requests)) stop();
    return;
  }
  arrivals_->ended(id, now());
  turn_.notify(sc_core::SC_ZERO_TIME);
  if (ended_requests_ < std::ssize(result_.requests)) return;
  if (std::ranges::all_of(result_.requests, [](const RequestRecord& r) {
        return r.rejected && r.refusal != Refusal::Late;
      }))
    refuse_all();
  stop();
}

void Simulation::give_up(const std::string& why) {
  result_.ended_by = why;
  stop();
}

void Simulation::fail() {
  try {
    for (std::size_t p = 0; p < places_.size(); ++p)
      for (std::size_t i = 0; i < places_[p].site->faults.size(); ++i)
        timeline_.emplace(places_[p].site->faults[i].at, [this, p, i] { break_down(p, i); });
    for (const FaultSpec& fault : spec_.serving.faults)
      if (between_instances(spec_, fault))
        timeline_.emplace(fault.at, [this, &fault] { break_between(fault); });
    while (!timeline_.empty() && !finished_) {
      const Picoseconds next = timeline_.begin()->first;
      if (next > now()) {
        sc_core::wait(to_sc_time(next - now()));
        continue;
      }
      const auto happen = std::move(timeline_.begin()->second);
      timeline_.erase(timeline_.begin());
      happen();
    }
  } catch (...) {
    broke(std::current_exception());
  }
}

/// Its steps stop at once; nobody knows until the fault is detected.
void Simulation::break_down(std::size_t at, std::size_t number) {
  Place& place = places_[at];
  place.instance().fail();
  place.next = number + 1;
  FaultRecord& fault = result_.faults.emplace_back();
  fault.fault = place.site->faults[number];
  if (fault.fault.kind == FaultKind::Link) slow_links(fault.fault);
  const std::size_t record = result_.faults.size() - 1;
  timeline_.emplace(now() + spec_.serving.fault_detection, [this, at, record, next = place.next] {
    if (places_[at].next == next)
      move_on(at, record);
    else
      result_.faults[record].problem = "another fault came before this was noticed";
  });
}

/// Caches are handed over more slowly from or to that instance.
void Simulation::slow_links(const FaultSpec& fault) {
  if (!network_) return;
  const std::int64_t part = dies(spec_.platform) / std::ssize(places_);
  network_->slow_down(fault.level, DieId{static_cast<std::uint32_t>(fault.instance * part)}, part,
                      fault.link_left);
}

/// A link between instances: nothing is interrupted.
void Simulation::break_between(const FaultSpec& fault) {
  slow_links(fault);
  const InstancePlan& plan = places_[static_cast<std::size_t>(fault.instance)].instance().plan();
  FaultRecord& record = result_.faults.emplace_back();
  record.fault = fault;
  record.back = record.over = now();
  record.plan = to_string(plan.placement.plan);
  record.dies = dies(plan.platform);
  record.speed = 1;
}

/// Its requests go to other instances, or wait for what is left of this one.
void Simulation::move_on(std::size_t at, std::size_t number) {
  Place& place = places_[at];
  FaultRecord& fault = result_.faults[number];
  place.load = {.up = false, .requests = 0};
  fault.interrupted = place.instance().scheduler().running();
  std::vector<Ticket> tickets = place.instance().scheduler().abandon();
  for (const Ticket& t : tickets) fault.lost_tokens += t.lost;
  if (place.role == ServingRole::Prefill) forget_caches(at);
  const auto& plan = place.site->plans[place.next];
  if (plan) {
    const Placement& p = plan->placement;
    Bytes weights{};
    for (const Bytes tier : p.weights) weights += tier;
    fault.plan = to_string(p.plan);
    fault.dies = dies(plan->platform);
    fault.speed = seconds(place.instance().plan().step) / seconds(plan->step);
    timeline_.emplace(
        now() + transfer_time(Bytes{weights.count() / fault.dies}, spec_.serving.reload_rate),
        [this, at, number, next = place.next] {
          if (places_[at].next == next) come_back(at, number);
        });
  } else {
    fault.problem = place.site->end;
    fault.over = now();
    // Nobody comes back here: those who waited for that wait elsewhere.
    for (const Ticket& ticket : std::exchange(place.held_back, {})) tickets.push_back(ticket);
  }
  const bool served = std::ranges::any_of(
      places_, [&](const Place& other) { return other.role == place.role && other.up_or_back(); });
  if (!served)
    return give_up("after fault " + fault.fault.name +
                   " what is left cannot hold the model: " + place.site->end);
  for (const Ticket& ticket : tickets)
    if (!dispatch(ticket, place.role)) refuse(ticket.id, Refusal::Fault);
}

void Simulation::come_back(std::size_t at, std::size_t number) {
  Place& place = places_[at];
  place.epoch = place.next;
  place.load.up = true;
  place.instance().come_up();
  result_.faults[number].back = result_.faults[number].over = now();
  for (const Ticket& ticket : std::exchange(place.held_back, {}))
    if (!dispatch(ticket, place.role)) refuse(ticket.id, Refusal::Fault);
}

/// What was prefilled there and not sent is lost: those who wait for it compute it themselves.
void Simulation::forget_caches(std::size_t at) {
  for (auto entry = prefilled_at_.begin(); entry != prefilled_at_.end();) {
    if (entry->second != at) {
      ++entry;
      continue;
    }
    const RequestId id = entry->first;
    entry = prefilled_at_.erase(entry);
    for (Place& decoder : places_) {
      if (decoder.role != ServingRole::Decode) continue;
      for (Ticket& ticket : decoder.held_back)
        if (ticket.id == id) ticket.computed = false;
      decoder.instance().scheduler().cache_lost(id);
      decoder.instance().wake();
    }
  }
}

}  // namespace reticle
