// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "sim/serving/speculation.hpp"

namespace reticle {

namespace {
/// Where requests carry no blocks, a page is one.
std::int64_t shared_tokens(const ServingSpec& spec, const KvCapacity& kv,
                           std::int64_t block_tokens) {
  return block_tokens == 0 && spec.session_prefixes ? kv.page_tokens : block_tokens;
}

KvPlace deepest(KvSpill spill) {
  switch (spill) {
    case KvSpill::Off:
      return KvPlace::Home;
    case KvSpill::Far:
      return KvPlace::Far;
    case KvSpill::Flash:
      break;
  }
  return KvPlace::Flash;
}

PrefixSharing sharing_of(const ServingSpec& spec, std::int64_t block_tokens) {
  if (spec.prefix_cache == PrefixCachePolicy::Off) return {};
  return {.block_tokens = block_tokens,
          .eviction = spec.prefix_cache,
          .deepest = deepest(spec.kv_spill)};
}
}  // namespace

Ticket ticket_of(const Request& request) {
  return {.id = request.id,
          .input = request.input_tokens,
          .output = request.output_tokens,
          .blocks = request.prefix_blocks,
          // A sub-agent has a context of its own.
          .session = request.session && request.depth > 0
                         ? combine64(*request.session, static_cast<std::uint64_t>(request.depth))
                         : request.session,
          .arrival = request.arrival,
          .priority = request.priority,
          .adapter = request.adapter};
}

void RecentSteps::add(Picoseconds took, std::int64_t prompt_tokens, bool decoded) {
  constexpr double kShare = 1 / kSteps;
  if (decoded) {
    last_decode_ = seconds(took);
    mean_decode_ = mean_decode_ == 0 ? last_decode_ : std::lerp(mean_decode_, last_decode_, kShare);
  }
  if (prompt_tokens == 0) return;
  prompt_seconds_ = prompt_seconds_ * (1 - kShare) + seconds(took);
  prompt_tokens_ = prompt_tokens_ * (1 - kShare) + static_cast<double>(prompt_tokens);
}

double RecentSteps::seconds_for(std::int64_t prompt_tokens) const {
  if (prompt_tokens_ == 0) return 0;
  return prompt_seconds_ / prompt_tokens_ * static_cast<double>(prompt_tokens);
}

Scheduler::Scheduler(const ServingSpec& spec, const KvCapacity& kv, std::int64_t block_tokens,
                     ServingRole role, const std::vector<Bytes>& adapter_bytes)
    : spec_{spec},
      role_{role},
      block_tokens_{shared_tokens(spec, kv, block_tokens)},
      kv_{kv, sharing_of(spec, block_tokens_)} {
  if (spec.lora) adapters_.emplace(spec.lora->family, adapter_bytes);
}

namespace {
/// Keys and values depend on the adapter: what is equal under two of them are the tokens alone.
std::uint64_t under(std::optional<std::uint32_t> adapter, std::uint64_t id) {
  return adapter ? combine64(id, std::uint64_t{1} + *adapter) : id;
}
}  // namespace

/// Blocks of a session without ids: the n-th of every turn is the same. Turns that branch off are
/// taken for one another.
void Scheduler::identify(Ticket& ticket) const {
  if (!adapters_) ticket.adapter.reset();  // all run on the base model
  if (ticket.adapter && !ticket.blocks.empty() && !ticket.session_blocks &&
      !ticket.adapter_blocks) {
    std::vector<std::uint64_t> ids;
    for (const std::uint64_t id : ticket.blocks) ids.push_back(under(ticket.adapter, id));
    ticket.adapter_blocks = std::make_shared<const std::vector<std::uint64_t>>(std::move(ids));
    ticket.blocks = *ticket.adapter_blocks;
  }
  if (!spec_.session_prefixes || !ticket.blocks.empty() || !ticket.session || !kv_.shares()) return;
  std::vector<std::uint64_t> ids;
  for (std::int64_t i = 0; i < ticket.length() / block_tokens_; ++i)
    ids.push_back(under(ticket.adapter, combine64(*ticket.session, static_cast<std::uint64_t>(i))));
  ticket.session_blocks = std::make_shared<const std::vector<std::uint64_t>>(std::move(ids));
  ticket.blocks = *ticket.session_blocks;
}

bool Scheduler::arrive(const Ticket& ticket) {
  // Who only prefills needs room for the prompt alone.
  if (!kv_.ever_fits(spec_.kept(role_ == ServingRole::Prefill ? ticket.input : ticket.length())))
    return false;
  if (ticket.session) kv_.touch(*ticket.session);
  const auto at = wait_in_line(ticket);
  at->second.asked_for_adapter = false;
  at->second.adapter_awaited.reset();
  identify(at->second);
  newcomers_.push_back(at->first);
  return true;
}

/// What was preempted comes before its class, the last one first.
Scheduler::Waiting::iterator Scheduler::wait_in_line(Ticket ticket) {
  const bool again = ticket.lost > 0 || ticket.image.tokens > 0;
  const bool shortest = spec_.queue == QueueOrder::ShortestFirst && !again;
  const Rank rank{ticket.priority, !again, shortest ? ticket.input : 0,
                  again ? --first_place_ : ++last_place_};
  return waiting_.emplace(rank, std::move(ticket)).first;
}

void Scheduler::delivered(RequestId id) {
  const auto at = std::ranges::find(running_, id, [](const Running& r) { return r.request.id; });
  invariant(at != running_.end() && at->awaits_cache, "what is delivered is awaited");
  at->awaits_cache = false;
  at->processed = at->prompt;
  kv_.fill(at->lease, spec_.kept(at->prompt));
}

std::int32_t Scheduler::replica_of(RequestId id) const {
  for (const auto* list : {&running_, &handing_over_}) {
    const auto at = std::ranges::find(*list, id, [](const Running& r) { return r.request.id; });
    if (at != list->end()) return at->lease.replica;
  }
  throw InvariantError("a request with pages");
}

void Scheduler::handed_over(RequestId id) {
  const auto at =
      std::ranges::find(handing_over_, id, [](const Running& r) { return r.request.id; });
  invariant(at != handing_over_.end(), "what is handed over was prefilled here");
  kv_.release(at->lease);
  handing_over_.erase(at);
}

void Scheduler::cache_lost(RequestId id) {
  for (auto& [rank, ticket] : waiting_)
    if (ticket.id == id) ticket.computed = false;
}

std::vector<Ticket> Scheduler::abandon() {
  std::vector<Ticket> all;
  arrive_all();
  for (const Running& r : running_) all.push_back(give_up(r));
  for (auto& [rank, ticket] : waiting_) {
    lose_image(ticket);
    all.push_back(ticket);
  }
  for (const Running& r : handing_over_) kv_.release(r.lease);
  running_.clear();
  waiting_.clear();
  newcomers_.clear();
  handing_over_.clear();
  return all;
}

bool Scheduler::resume(RequestId id, std::int64_t context, std::int64_t output_tokens,
                       std::optional<std::uint32_t> adapter) {
  if (running() >= spec_.max_batch || (adapter && !adapters_->place(*adapter))) return false;
  Running r{.request = {.id = id, .input = context, .output = output_tokens, .adapter = adapter},
            .prompt = context,
            .processed = context};
  const std::int64_t kept = spec_.kept(context);
  const auto lease = kv_.admit({.prompt = kept, .tokens = spec_.kept(r.request.length())});
  if (!lease) return false;
  r.lease = *lease;
  kv_.fill(r.lease, kept);
  if (adapter) adapters_->hold(*adapter);
  running_.push_back(r);
  return true;
}

namespace {
/// Tokens to compute before its next output token. The newest output token of a prompt computed
/// elsewhere is not in the cache yet.
std::int64_t to_compute(const Ticket& ticket) {
  if (ticket.image.tokens > 0) return ticket.prompt;
  return ticket.input + ticket.generated - (ticket.computed ? 1 : 0);
}
}  // namespace

KvAsk Scheduler::ask_of(const Ticket& ticket) const {
  const std::int64_t prompt = to_compute(ticket);
  const std::int64_t life = role_ == ServingRole::Prefill ? prompt : ticket.length();
  const bool whole = spec_.admission == Admission::WholeLife;
  // What a window will move over is not for others: of such sequences they share the sinks.
  const bool drops = spec_.kept(life) < life;
  const auto blocks = drops && kv_.shares()
                          ? ticket.blocks.first(std::min(
                                ticket.blocks.size(),
                                static_cast<std::size_t>(spec_.kv_sink_tokens / block_tokens_)))
                          : ticket.blocks;
  return {.blocks = blocks,
          .prompt = spec_.kept(prompt),
          .known = ticket.session_blocks ? spec_.kept(life) : 0,
          .tokens = spec_.kept(whole ? life : std::max(prompt, ticket.processed)),
          .headroom = whole ? 0 : spec_.headroom,
          .session = ticket.session};
}

bool Scheduler::too_late(const Ticket& ticket, Picoseconds now) const {
  return spec_.ttft_limit && ticket.generated == 0 && now > ticket.arrival + *spec_.ttft_limit;
}

/// Under `slo` those too late for their first token go behind the others of their class.
Scheduler::Waiting::iterator Scheduler::next(Picoseconds now) {
  if (spec_.queue != QueueOrder::Slo) return waiting_.begin();
  while (true) {
    const auto first = waiting_.begin();
    if (first == waiting_.end()) return first;
    auto [priority, anew, late, place] = first->first;
    if (late != 0 || !anew || !too_late(first->second, now)) return first;
    auto node = waiting_.extract(first);
    node.key() = {priority, anew, 1, place};
    waiting_.insert(std::move(node));
  }
}

/// Who is next, after those whose turn comes too late have been refused.
Scheduler::Waiting::iterator Scheduler::next_to_serve(Picoseconds now) {
  auto at = next(now);
  while (spec_.slo_admission && at != waiting_.end() && too_late(at->second, now)) {
    refuse(at);
    at = next(now);
  }
  return at;
}

/// Refuses those that came since the last step and will not have their first token in time.
void Scheduler::refuse_hopeless(Picoseconds now) {
  std::vector<Rank> newcomers = std::exchange(newcomers_, {});
  if (!spec_.slo_admission || newcomers.empty()) return;
  std::ranges::sort(newcomers);
  std::int64_t tokens = 0;
  for (const Running& r : running_) tokens += std::max<std::int64_t>(0, r.prompt - r.processed);
  auto newcomer = newcomers.begin();
  for (auto at = waiting_.begin(); at != waiting_.end() && newcomer != newcomers.end();) {
    const auto here = at++;
    const Ticket& ticket = here->second;
    const std::int64_t own = to_compute(ticket);
    const bool is_new = here->first == *newcomer;
    newcomer += is_new;
    const double first_token = seconds(now - ticket.arrival) + recent_.seconds_for(tokens + own);
    if (is_new && ticket.generated == 0 && first_token > seconds(*spec_.ttft_limit))
      refuse(here);
    else
      tokens += own;
  }
}

/// Where tokens must come in time nobody is admitted while they do not, and one request at a time
/// while they do, to see what that does to them.
/// A static batch takes nobody while one of those before runs.
bool Scheduler::closed(const std::vector<Admitted>& admitted) const {
  if (spec_.batching == Batching::Static && admitted.empty() && running() > 0) return true;
  if (!spec_.slo_admission || !spec_.tpot_limit || running() == 0) return false;
  return !admitted.empty() || recent_.token_seconds() > seconds(*spec_.tpot_limit);
}

/// False: it has to wait.
bool Scheduler::admit_one(Waiting::iterator at, std::vector<Admitted>& admitted) {
  const Ticket& ticket = at->second;
  const KvAsk ask = ask_of(ticket);
  const bool swapped = ticket.image.tokens > 0;
  const auto lease = swapped ? kv_.swap_in(ask, ticket.image) : kv_.admit(ask);
  short_of_room_ |= !lease;
  if (!lease) return false;
  if (!swapped)
    preempted_.recomputed_tokens += std::max<std::int64_t>(0, ticket.lost - lease->filled);
  running_.push_back({.request = ticket,
                      .prompt = to_compute(ticket),
                      .generated = ticket.generated,
                      .processed = swapped ? ticket.processed : lease->filled,
                      .lease = *lease,
                      .awaits_cache = ticket.computed});
  admitted.push_back(
      {ticket.id, running_.back().processed, swapped || ticket.lost > 0, ticket.computed});
  if (ticket.adapter) adapters_->hold(*ticket.adapter);
  waiting_.erase(at);
  return true;
}

/// Nobody overtakes who is next.
void Scheduler::admit(std::vector<Admitted>& admitted, Picoseconds now) {
  while (running() < spec_.max_batch && !closed(admitted)) {
    const auto at = next_to_serve(now);
    if (at == waiting_.end() || !adapter_there(at->second, now) || !admit_one(at, admitted)) return;
  }
}

/// The youngest of the highest class, on one replica or on any.
std::optional<std::size_t> Scheduler::victim(std::optional<std::int32_t> replica) const {
  for (std::size_t i = running_.size(); i-- > 0;) {
    const Running& r = running_[i];
    // What is on its way to a sequence cannot be called back.
    if (!r.waits() && (!replica || r.lease.replica == *replica)) return i;
  }
  return std::nullopt;
}

void Scheduler::sort_by_class() {
  const auto class_of = [](const Running& r) { return r.request.priority; };
  if (!std::ranges::is_sorted(running_, {}, class_of))
    std::ranges::stable_sort(running_, {}, class_of);
}

/// Where nothing is taken back for room, neither is it for a lower class.
void Scheduler::admit_urgent(std::vector<Admitted>& admitted, Picoseconds now) {
  if (spec_.admission != Admission::OnDemand) return;
  const auto lower_than = [&](Waiting::iterator at) {
    const auto last = victim(std::nullopt);
    return last && running_[*last].request.priority > at->second.priority ? last : std::nullopt;
  };
  while (!closed(admitted)) {
    const auto at = next_to_serve(now);
    if (at == waiting_.end()) return;
    auto last = lower_than(at);
    if (!last || !adapter_there(at->second, now)) return;
    while (running() >= spec_.max_batch || !admit_one(at, admitted)) {
      if (!last) return;
      preempt(*last);
      last = lower_than(at);
    }
    sort_by_class();
  }
}

/// Whether it may be admitted as far as its adapter goes.
bool Scheduler::adapter_there(Ticket& ticket, Picoseconds now) {
  if (!ticket.adapter) return true;
  if (!adapters_->there(*ticket.adapter)) {
    if (!ticket.adapter_awaited) ticket.adapter_awaited = now;
    return false;
  }
  if (!std::exchange(ticket.asked_for_adapter, true)) adapters_->ask(*ticket.adapter, {});
  if (ticket.adapter_awaited)
    adapters_->waited(now - *std::exchange(ticket.adapter_awaited, std::nullopt));
  return true;
}

/// Those who wait, as many as the batch still takes and one at least, have their adapters loaded in
/// their order; nobody's makes room for one behind it.
void Scheduler::ask_for_adapters(Picoseconds now) {
  if (waiting_.empty()) return;
  std::vector<std::uint32_t> wanted;
  const auto ask = [&](Ticket& ticket) {
    if (!ticket.adapter) return true;
    // Who was asked for, and had to go before it ran, is asked for again.
    const bool gone = !adapters_->holds(*ticket.adapter);
    if ((gone || !ticket.asked_for_adapter) && !adapters_->ask(*ticket.adapter, wanted))
      return false;
    ticket.asked_for_adapter = true;
    wanted.push_back(*ticket.adapter);
    return true;
  };
  const auto first = next(now);
  if (!ask(first->second)) return;
  std::int64_t ahead = spec_.max_batch - running();
  for (auto at = waiting_.begin(); at != waiting_.end() && ahead > 0; ++at, --ahead)
    if (at != first && !ask(at->second)) return;
}

void Scheduler::release_adapter(const Running& r) {
  if (r.request.adapter) adapters_->release(*r.request.adapter);
}

/// What the first in line will find behind home comes there while it waits.
void Scheduler::prefetch(Picoseconds now) {
  if (waiting_.empty() || !spec_.kv_prefetch) return;
  const Ticket& ticket = next(now)->second;
  if (ticket.image.tokens > 0) return;
  if (const auto lease = kv_.prefetch(ask_of(ticket))) prefetched_.push_back(*lease);
}

void Scheduler::arrive_all() {
  for (Running& r : running_)
    if (r.lease.arriving) kv_.arrive(r.lease);
  for (KvLease& lease : prefetched_) {
    kv_.arrive(lease);
    kv_.release(lease);
  }
  prefetched_.clear();
}

/// Where nothing runs or moves, nothing will make room: only a cache that evicts nothing comes to
/// that.
void Scheduler::refuse_stuck(Picoseconds now) {
  if (waiting_.empty() || running() > 0 || !handing_over_.empty() || !prefetched_.empty()) return;
  if (adapters_ && adapters_->arriving()) return;
  stuck_ = next(now)->second.id;
  refuse(next(now));
}

void Scheduler::refuse(Waiting::iterator at) {
  lose_image(at->second);
  refused_.push_back(at->second.id);
  waiting_.erase(at);
}

/// Frees its pages; what is to be done again. `keep`: its cache goes to the far tier, if there is
/// room.
Ticket Scheduler::give_up(const Running& r, bool keep) {
  Ticket back = r.request;
  back.generated = r.generated;
  back.computed = false;
  back.lost = r.processed;
  back.image = {};
  back.processed = 0;
  const auto image = keep ? kv_.swap_out(r.lease) : std::nullopt;
  if (image) {
    back.image = *image;
    back.prompt = r.prompt;
    back.processed = r.processed;
    back.lost = 0;
  }
  kv_.release(r.lease);
  release_adapter(r);
  back.asked_for_adapter = false;
  return back;
}

/// What it had computed is lost after all.
void Scheduler::lose_image(Ticket& ticket) {
  if (ticket.image.tokens == 0) return;
  kv_.drop(ticket.image);
  ticket.image = {};
  ticket.lost = std::exchange(ticket.processed, 0);
}

void Scheduler::preempt(std::size_t at) {
  short_of_room_ = true;
  const bool swap = spec_.preemption == Preemption::Swap && running_[at].lease.filled > 0;
  const Ticket back = give_up(running_[at], swap);
  ++preempted_.preemptions;
  preempted_.lost_tokens += back.lost;
  preempted_.swaps += back.image.tokens > 0;
  preempted_.swapped_tokens += back.image.tokens;
  wait_in_line(back);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
}

bool Scheduler::make_room(std::size_t at, std::int64_t tokens) {
  while (!kv_.grow(running_[at].lease, tokens)) {
    const std::size_t last = *victim(running_[at].lease.replica);
    preempt(last);
    if (last == at) return false;
  }
  return true;
}

/// What runs comes into SRAM as far as there is room, and its new tokens are written where their
/// pages are then. Where a window moves on, they take the places of dropped ones.
void Scheduler::promote() {
  if (kv_.capacity(KvPlace::Near).count() == 0) return;
  auto work = load_.sequences.begin();
  for (Running& r : running_) {
    if (r.chunk == 0) continue;
    const std::int64_t before = r.lease.filled, after = spec_.kept(r.processed + r.chunk);
    kv_.promote(r.lease, after);
    const std::int64_t near = kv_.near_tokens(r.lease, after);
    const std::int64_t in_place = r.chunk - (after - before);
    work->near_new = near - kv_.near_tokens(r.lease, before);
    if (in_place > 0) work->near_new += std::min(in_place, in_place * near / after);
    ++work;
  }
}

const StepLoad& Scheduler::plan(std::vector<Admitted>& admitted, Picoseconds now) {
  kv_.pass_time(now);
  begun_ = now;
  admitted.clear();
  refused_.clear();
  stuck_.reset();
  load_.sequences.clear();
  prompt_tokens_ = 0;
  short_of_room_ = false;
  refuse_hopeless(now);
  std::int64_t budget = spec_.prefill_tokens;
  const std::int64_t preemptions = preempted_.preemptions;
  admit_urgent(admitted, now);
  for (std::size_t i = 0;; ++i) {
    // Those that run have what they need first; who was preempted for it waits for another step.
    if (i == running_.size() && preempted_.preemptions == preemptions) admit(admitted, now);
    if (i >= running_.size()) break;
    running_[i].chunk = 0;
    if (running_[i].waits()) continue;
    const std::int64_t processed = running_[i].processed;
    const bool prefilling = processed < running_[i].prompt;
    // No draft is wanted for what lies behind the last token.
    const std::int64_t drafts =
        prefilling ? 0
                   : std::min(spec_.speculation.tokens,
                              last_output(running_[i]) - running_[i].generated - 1);
    const std::int64_t chunk =
        prefilling ? std::min(budget, running_[i].prompt - processed) : 1 + drafts;
    if (chunk > 0 && !make_room(i, spec_.kept(processed + chunk))) {
      --i;  // it is gone, the next one has its place
      continue;
    }
    Running& r = running_[i];
    r.chunk = chunk;
    r.drafts = drafts;
    if (prefilling) budget -= chunk;
    if (chunk == 0) continue;
    if (processed < r.request.input) prompt_tokens_ += chunk;
    load_.sequences.push_back({.request = r.request.id,
                               .context = r.lease.filled,
                               .near = kv_.near_tokens(r.lease, r.lease.filled),
                               .new_tokens = chunk,
                               .replica = r.lease.replica,
                               .outputs = prefilling ? processed + chunk >= r.prompt : chunk,
                               .drafts = drafts,
                               .dropped = processed - r.lease.filled,
                               .adapter = r.request.adapter});
  }
  promote();
  sort_by_class();
  if (adapters_) ask_for_adapters(now);
  prefetch(now);
  refuse_stuck(now);
  load_.moves = kv_.take_moves();
  if (adapters_) load_.adapters_in = adapters_->take_loads();
  return load_;
}

/// Takes what the step has computed for a sequence; the output tokens that yields.
std::int64_t Scheduler::yielded(Running& r) {
  if (r.drafts > 0) {
    const std::int64_t accepted =
        accepted_drafts(spec_.speculation, r.request.id, r.generated, r.drafts);
    ++speculated_.verifications;
    speculated_.drafts += r.drafts;
    speculated_.accepted += accepted;
    r.chunk = 1 + accepted;  // what was refused leaves the cache again
  }
  const bool decoded = r.processed >= r.prompt;
  const std::int64_t dropped = r.processed - r.lease.filled;
  r.processed += r.chunk;
  kv_.fill(r.lease, spec_.kept(r.processed));
  dropped_tokens_ += r.processed - r.lease.filled - dropped;
  if (decoded) return r.chunk;
  return r.processed >= r.prompt ? 1 : 0;
}

const std::vector<Progress>& Scheduler::complete(Picoseconds now) {
  kv_.pass_time(now);
  progress_.clear();
  const bool decoded = std::ranges::any_of(load_.sequences, &SequenceWork::decodes);
  recent_.add(now - begun_, prompt_tokens_, decoded);
  arrive_all();
  if (adapters_) adapters_->arrive();
  for (Running& r : running_) {
    if (r.chunk == 0) continue;
    const std::int64_t tokens = yielded(r);
    r.generated += tokens;
    longest_context_ = std::max(longest_context_, r.lease.filled);
    const bool finished = r.generated >= last_output(r);
    progress_.push_back({r.request.id, tokens, finished, finished && goes_on(r)});
  }
  std::erase_if(running_, [&](const Running& r) {
    if (r.generated < last_output(r)) return false;
    if (r.request.session) kv_.touch(*r.request.session);
    release_adapter(r);
    if (goes_on(r))
      handing_over_.push_back(r);
    else
      kv_.release(r.lease);
    return true;
  });
  return progress_;
}

/// To an instance that decodes.
bool Scheduler::goes_on(const Running& r) const {
  return role_ == ServingRole::Prefill && r.generated < r.request.output;
}

/// The number of its output tokens after which it leaves this instance.
std::int64_t Scheduler::last_output(const Running& r) const {
  return role_ == ServingRole::Prefill ? r.request.generated + 1 : r.request.output;
}

}  // namespace reticle
