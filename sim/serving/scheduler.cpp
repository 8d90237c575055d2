// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/scheduler.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
PrefixSharing sharing_of(const ServingSpec& spec, std::int64_t block_tokens) {
  if (spec.prefix_cache == PrefixCachePolicy::Off) return {};
  return {.block_tokens = block_tokens,
          .eviction = spec.prefix_cache == PrefixCachePolicy::Lfu ? EvictionPolicy::Lfu
                                                                  : EvictionPolicy::Lru};
}
}  // namespace

Scheduler::Scheduler(const ServingSpec& spec, const KvCapacity& kv, std::int64_t block_tokens)
    : spec_{spec}, kv_{kv, sharing_of(spec, block_tokens)} {}

bool Scheduler::arrive(const Request& request) {
  if (!kv_.ever_fits(request.input_tokens + request.output_tokens)) return false;
  waiting_.push_back(
      {request.id, request.input_tokens, request.output_tokens, request.prefix_blocks});
  return true;
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
    const Waiting& next = waiting_.front();
    const std::int64_t prompt = next.input + next.generated;
    const auto lease =
        kv_.admit(next.blocks, prompt, whole ? next.length() : prompt, whole ? 0 : spec_.headroom);
    if (!lease) return;  // first come, first served: nobody overtakes
    preempted_.recomputed_tokens += std::max<std::int64_t>(0, next.lost - lease->filled);
    running_.push_back(
        {.request = next, .prompt = prompt, .generated = next.generated, .lease = *lease});
    admitted.push_back({next.id, lease->filled, next.lost > 0});
    waiting_.pop_front();
  }
}

void Scheduler::preempt(std::size_t at) {
  const Running& r = running_[at];
  Waiting back = r.request;
  back.generated = r.generated;
  back.lost = r.lease.filled;
  kv_.release(r.lease);
  ++preempted_.preemptions;
  preempted_.lost_tokens += r.lease.filled;
  waiting_.push_front(back);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
}

bool Scheduler::make_room(std::size_t at, std::int64_t tokens) {
  while (!kv_.grow(running_[at].lease, tokens)) {
    std::size_t youngest = running_.size() - 1;
    while (running_[youngest].lease.replica != running_[at].lease.replica) --youngest;
    preempt(youngest);
    if (youngest == at) return false;
  }
  return true;
}

const StepLoad& Scheduler::plan(std::vector<Admitted>& admitted) {
  admitted.clear();
  load_.sequences.clear();
  std::int64_t budget = spec_.prefill_tokens;
  const std::int64_t preemptions = preempted_.preemptions;
  for (std::size_t i = 0;; ++i) {
    // Those that run have what they need first; who was preempted for it waits for another step.
    if (i == running_.size() && preempted_.preemptions == preemptions) admit(admitted);
    if (i >= running_.size()) break;
    const std::int64_t cached = running_[i].lease.filled;
    const bool prefilling = cached < running_[i].prompt;
    const std::int64_t chunk = prefilling ? std::min(budget, running_[i].prompt - cached) : 1;
    running_[i].chunk = 0;
    if (chunk > 0 && !make_room(i, cached + chunk)) {
      --i;  // it is gone, the next one has its place
      continue;
    }
    Running& r = running_[i];
    r.chunk = chunk;
    if (prefilling) budget -= chunk;
    if (chunk == 0) continue;
    load_.sequences.push_back({.request = r.request.id,
                               .context = cached,
                               .new_tokens = chunk,
                               .replica = r.lease.replica,
                               .emits = cached + chunk >= r.prompt});
  }
  return load_;
}

const std::vector<Progress>& Scheduler::complete() {
  progress_.clear();
  for (Running& r : running_) {
    if (r.chunk == 0) continue;
    kv_.fill(r.lease, r.lease.filled + r.chunk);
    const bool emits = r.lease.filled >= r.prompt;
    r.generated += emits;
    progress_.push_back({r.request.id, emits ? 1 : 0, r.generated >= r.request.output});
  }
  std::erase_if(running_, [&](const Running& r) {
    if (r.generated < r.request.output) return false;
    kv_.release(r.lease);
    return true;
  });
  return progress_;
}

}  // namespace reticle
