// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/scheduler.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

Scheduler::Scheduler(const ServingSpec& spec, const KvCapacity& kv) : spec_{spec}, kv_{kv} {}

bool Scheduler::arrive(const Request& request) {
  if (!kv_.ever_fits(request.input_tokens + request.output_tokens)) return false;
  waiting_.push_back({request.id, request.input_tokens, request.output_tokens});
  return true;
}

bool Scheduler::resume(RequestId id, std::int64_t context, std::int64_t output_tokens) {
  if (running() >= spec_.max_batch) return false;
  Running r{.id = id, .input = context, .output = output_tokens};
  const auto replica = kv_.reserve(r.length());
  if (!replica) return false;
  r.replica = *replica;
  r.cached = context;
  kv_.fill(r.replica, 0, context);
  running_.push_back(r);
  return true;
}

const StepLoad& Scheduler::plan(std::vector<RequestId>& admitted) {
  admitted.clear();
  while (!waiting_.empty() && running() < spec_.max_batch) {
    const Waiting& next = waiting_.front();
    const auto replica = kv_.reserve(next.input + next.output);
    if (!replica) break;  // first come, first served: nobody overtakes
    running_.push_back(
        {.id = next.id, .input = next.input, .output = next.output, .replica = *replica});
    admitted.push_back(next.id);
    waiting_.pop_front();
  }
  load_.sequences.clear();
  std::int64_t budget = spec_.prefill_tokens;
  for (Running& r : running_) {
    const bool prefilling = r.cached < r.input;
    r.chunk = prefilling ? std::min(budget, r.input - r.cached) : 1;
    if (prefilling) budget -= r.chunk;
    if (r.chunk == 0) continue;
    load_.sequences.push_back({.request = r.id,
                               .context = r.cached,
                               .new_tokens = r.chunk,
                               .replica = r.replica,
                               .emits = r.cached + r.chunk >= r.input});
  }
  return load_;
}

const std::vector<Progress>& Scheduler::complete() {
  progress_.clear();
  for (Running& r : running_) {
    if (r.chunk == 0) continue;
    kv_.fill(r.replica, r.cached, r.cached + r.chunk);
    r.cached += r.chunk;
    const bool emits = r.cached >= r.input;
    r.generated += emits;
    progress_.push_back({r.id, emits ? 1 : 0, r.generated >= r.output});
  }
  std::erase_if(running_, [&](const Running& r) {
    if (r.generated < r.output) return false;
    kv_.release(r.replica, r.length(), r.cached);
    return true;
  });
  return progress_;
}

}  // namespace reticle
