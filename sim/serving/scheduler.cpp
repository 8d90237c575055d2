// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/scheduler.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/serving/speculation.hpp"

namespace reticle {

namespace {
PrefixSharing sharing_of(const ServingSpec& spec, std::int64_t block_tokens) {
  if (spec.prefix_cache == PrefixCachePolicy::Off) return {};
  return {.block_tokens = block_tokens,
          .eviction = spec.prefix_cache == PrefixCachePolicy::Lfu ? EvictionPolicy::Lfu
                                                                  : EvictionPolicy::Lru};
}
}  // namespace

Ticket ticket_of(const Request& request) {
  return {.id = request.id,
          .input = request.input_tokens,
          .output = request.output_tokens,
          .blocks = request.prefix_blocks};
}

Scheduler::Scheduler(const ServingSpec& spec, const KvCapacity& kv, std::int64_t block_tokens,
                     ServingRole role)
    : spec_{spec}, role_{role}, kv_{kv, sharing_of(spec, block_tokens)} {}

bool Scheduler::arrive(const Ticket& ticket) {
  // Who only prefills needs room for the prompt alone.
  if (!kv_.ever_fits(role_ == ServingRole::Prefill ? ticket.input : ticket.length())) return false;
  waiting_.push_back(ticket);
  return true;
}

void Scheduler::delivered(RequestId id) {
  const auto at = std::ranges::find(running_, id, [](const Running& r) { return r.request.id; });
  invariant(at != running_.end() && at->awaits_cache, "what is delivered is awaited");
  at->awaits_cache = false;
  kv_.fill(at->lease, at->prompt);
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
  for (Ticket& ticket : waiting_)
    if (ticket.id == id) ticket.computed = false;
  for (Running& r : running_) {
    if (r.request.id != id || !r.awaits_cache) continue;
    r.awaits_cache = false;
    ++r.prompt;  // the newest output token is computed again with it
  }
}

std::vector<Ticket> Scheduler::abandon() {
  std::vector<Ticket> all;
  for (const Running& r : running_) all.push_back(give_up(r));
  all.insert(all.end(), waiting_.begin(), waiting_.end());
  for (const Running& r : handing_over_) kv_.release(r.lease);
  running_.clear();
  waiting_.clear();
  handing_over_.clear();
  return all;
}

bool Scheduler::resume(RequestId id, std::int64_t context, std::int64_t output_tokens) {
  if (running() >= spec_.max_batch) return false;
  Running r{.request = {.id = id, .input = context, .output = output_tokens}, .prompt = context};
  const auto lease = kv_.admit({}, context, r.request.length());
  if (!lease) return false;
  r.lease = *lease;
  kv_.fill(r.lease, context);
  running_.push_back(r);
  return true;
}

void Scheduler::admit(std::vector<Admitted>& admitted) {
  const bool whole = spec_.admission == Admission::WholeLife;
  while (!waiting_.empty() && running() < spec_.max_batch) {
    const Ticket& next = waiting_.front();
    // The newest output token of a prompt computed elsewhere is not in the cache yet.
    const std::int64_t prompt = next.input + next.generated - (next.computed ? 1 : 0);
    const std::int64_t life = role_ == ServingRole::Prefill ? prompt : next.length();
    const auto lease =
        kv_.admit(next.blocks, prompt, whole ? life : prompt, whole ? 0 : spec_.headroom);
    if (!lease) return;  // first come, first served: nobody overtakes
    preempted_.recomputed_tokens += std::max<std::int64_t>(0, next.lost - lease->filled);
    running_.push_back({.request = next,
                        .prompt = prompt,
                        .generated = next.generated,
                        .lease = *lease,
                        .awaits_cache = next.computed});
    admitted.push_back({next.id, lease->filled, next.lost > 0, next.computed});
    waiting_.pop_front();
  }
}

/// Frees its pages; what is to be done again.
Ticket Scheduler::give_up(const Running& r) {
  Ticket back = r.request;
  back.generated = r.generated;
  back.lost = r.lease.filled;
  back.computed = false;
  kv_.release(r.lease);
  return back;
}

void Scheduler::preempt(std::size_t at) {
  ++preempted_.preemptions;
  preempted_.lost_tokens += running_[at].lease.filled;
  waiting_.push_front(give_up(running_[at]));
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
}

bool Scheduler::make_room(std::size_t at, std::int64_t tokens) {
  while (!kv_.grow(running_[at].lease, tokens)) {
    std::size_t youngest = running_.size() - 1;
    // What is on its way to a sequence cannot be called back.
    while (running_[youngest].lease.replica != running_[at].lease.replica ||
           running_[youngest].awaits_cache)
      --youngest;
    preempt(youngest);
    if (youngest == at) return false;
  }
  return true;
}

const StepLoad& Scheduler::plan(std::vector<Admitted>& admitted) {
  admitted.clear();
  load_.sequences.clear();
  prompt_tokens_ = 0;
  std::int64_t budget = spec_.prefill_tokens;
  const std::int64_t preemptions = preempted_.preemptions;
  for (std::size_t i = 0;; ++i) {
    // Those that run have what they need first; who was preempted for it waits for another step.
    if (i == running_.size() && preempted_.preemptions == preemptions) admit(admitted);
    if (i >= running_.size()) break;
    running_[i].chunk = 0;
    if (running_[i].awaits_cache) continue;
    const std::int64_t cached = running_[i].lease.filled;
    const bool prefilling = cached < running_[i].prompt;
    // No draft is wanted for what lies behind the last token.
    const std::int64_t drafts =
        prefilling ? 0
                   : std::min(spec_.speculation.tokens,
                              last_output(running_[i]) - running_[i].generated - 1);
    const std::int64_t chunk =
        prefilling ? std::min(budget, running_[i].prompt - cached) : 1 + drafts;
    if (chunk > 0 && !make_room(i, cached + chunk)) {
      --i;  // it is gone, the next one has its place
      continue;
    }
    Running& r = running_[i];
    r.chunk = chunk;
    r.drafts = drafts;
    if (prefilling) budget -= chunk;
    if (chunk == 0) continue;
    if (cached < r.request.input) prompt_tokens_ += chunk;
    load_.sequences.push_back({.request = r.request.id,
                               .context = cached,
                               .new_tokens = chunk,
                               .replica = r.lease.replica,
                               .outputs = prefilling ? cached + chunk >= r.prompt : chunk,
                               .drafts = drafts});
  }
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
  const bool decoded = r.lease.filled >= r.prompt;
  kv_.fill(r.lease, r.lease.filled + r.chunk);
  if (decoded) return r.chunk;
  return r.lease.filled >= r.prompt ? 1 : 0;
}

const std::vector<Progress>& Scheduler::complete() {
  progress_.clear();
  for (Running& r : running_) {
    if (r.chunk == 0) continue;
    const std::int64_t tokens = yielded(r);
    r.generated += tokens;
    progress_.push_back({r.request.id, tokens, r.generated >= last_output(r)});
  }
  std::erase_if(running_, [&](const Running& r) {
    if (r.generated < last_output(r)) return false;
    if (role_ == ServingRole::Prefill && r.generated < r.request.output)
      handing_over_.push_back(r);
    else
      kv_.release(r.lease);
    return true;
  });
  return progress_;
}

/// The number of its output tokens after which it leaves this instance.
std::int64_t Scheduler::last_output(const Running& r) const {
  return role_ == ServingRole::Prefill ? r.request.generated + 1 : r.request.output;
}

}  // namespace reticle
