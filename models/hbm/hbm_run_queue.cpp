// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_run_queue.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

HbmRunQueue::HbmRunQueue(const HbmParams& params, const HbmRunBursts& bursts)
    : bursts_{&bursts}, params_{&params}, controller_{params} {}

HbmRunQueue::Id HbmRunQueue::enter(const MemoryRun& run, HbmTick heard) {
  auto id = static_cast<Id>(requests_.size());
  if (free_.empty()) {
    requests_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  requests_[id] = {.run = run, .bursts = bursts_->count(run), .heard = heard};
  requests_[id].run.posted = run.posted && run.kind == Access::Write;
  return id;
}

/// Behind those heard before, and behind the one that is being handed over.
void HbmRunQueue::hear(Id id, HbmTick at) {
  requests_[id].heard = at;
  auto place = backlog_.end();
  while (place != backlog_.begin()) {
    const Request& ahead = requests_[*std::prev(place)];
    if (ahead.heard <= at || ahead.pushed > 0) break;
    --place;
  }
  backlog_.insert(place, id);
}

HbmRunQueue::Id HbmRunQueue::ask(const MemoryRun& run, HbmTick at) {
  const Id id = enter(run, kUnknown);
  hear(id, at);
  return id;
}

HbmRunQueue::Id HbmRunQueue::ask_after_end(const MemoryRun& run, HbmTick at, HbmTick later) {
  const Id id = enter(run, at);
  waiting_.push_back({.id = id, .later = later});
  return id;
}

void HbmRunQueue::end(Id id, HbmTick at) {
  Request& r = requests_[id];
  r.end = at;
  if (r.taken_over) return;
  const auto later = [](HbmTick time, const End& other) { return time < other.at; };
  coming_.insert(std::upper_bound(coming_.begin(), coming_.end(), at, later),
                 {.requester = r.run.requester, .at = at});
}

/// Who waited for an end that has come is heard.
void HbmRunQueue::pass_ends() {
  for (; !coming_.empty() && coming_.front().at <= now_; coming_.pop_front()) {
    const End end = coming_.front();
    const auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) {
      return requests_[w.id].run.requester == end.requester;
    });
    if (next == waiting_.end()) {
      ends_.push_back(end);
      continue;
    }
    hear(next->id, std::max(requests_[next->id].heard, end.at + next->later));
    waiting_.erase(next);
  }
}

void HbmRunQueue::hand_over(HbmTick horizon) {
  pass_ends();
  while (behind(std::min(now_, horizon))) {
    const Id id = backlog_.front();
    Request& r = requests_[id];
    for (; r.pushed < r.bursts && !controller_.full(r.run.kind); ++r.pushed) {
      if (r.pushed == 0) r.accepted = now_;
      controller_.push(r.run.kind, 0, bursts_->place(r.run, r.pushed), id, now_);
    }
    if (r.pushed < r.bursts) return;
    backlog_.pop_front();
    if (r.run.posted) end(id, now_);
  }
}

/// Issues what can go now; returns the next tick at which anything can happen.
HbmTick HbmRunQueue::step(HbmTick horizon) {
  if (controller_.next() <= now_) controller_.step(now_);
  for (const HbmController::Completion& burst : controller_.completed()) {
    Request& r = requests_[burst.tag];
    r.first_data = std::min(r.first_data, burst.done);
    r.last_data = std::max(r.last_data, burst.done);
    last_data_ = std::max(last_data_, burst.done);
    if (++r.served < r.bursts) continue;
    if (!r.run.posted) end(burst.tag, r.last_data);
    free_.push_back(burst.tag);
  }
  controller_.completed().clear();
  HbmTick next = controller_.next();
  if (!coming_.empty()) next = std::min(next, coming_.front().at);
  if (behind(horizon)) {
    const Request& r = requests_[backlog_.front()];
    if (r.heard > now_)
      next = std::min(next, r.heard);
    else if (!controller_.full(r.run.kind))
      next = now_ + 1;
    invariant(next != HbmController::kNever, "an HBM burst that no command can serve");
  }
  return std::max(now_ + 1, next);
}

void HbmRunQueue::settle(HbmTick until) {
  for (hand_over(until); now_ < until || behind(until); hand_over(until)) {
    const HbmTick next = step(until);
    now_ = behind(until) ? next : std::min(next, until);
  }
}

void HbmRunQueue::finish(Id id) {
  for (hand_over(kUnknown); requests_[id].end == kUnknown; hand_over(kUnknown)) {
    now_ = step(kUnknown);
    invariant(now_ != kUnknown, "a run that waits for no end that comes");
  }
}

HbmTick HbmRunQueue::go_on_to_end(std::uint8_t requester) {
  for (;;) {
    hand_over(kUnknown);
    const auto end = std::find_if(ends_.begin(), ends_.end(),
                                  [&](const End& e) { return e.requester == requester; });
    if (end != ends_.end()) {
      const HbmTick at = end->at;
      ends_.erase(end);
      return at;
    }
    invariant(!coming_.empty() || !idle() || controller_.waiting() > 0, "an end told that comes");
    now_ = step(kUnknown);
  }
}

HbmTick HbmRunQueue::serve() {
  constexpr HbmTick kNobody = -1;
  while (controller_.waiting() > 0) now_ = step(kNobody);
  return last_data_;
}

void HbmRunQueue::take_over(const MemoryRun& run, HbmTick end) {
  const HbmTiming& t = params_->timing;
  const bool read = run.kind == Access::Read;
  const HbmControllerParams& queues = params_->controller;
  const std::int64_t bursts = bursts_->count(run);
  const std::int64_t last = std::min(bursts, read ? queues.read_queue : queues.write_queue);
  const Picoseconds served = last * max(t.t_burst, t.t_ccd_s) + (read ? t.t_cl : t.t_cwl);
  const HbmTick begin = std::max(now_, end - ticks_of(served, t.t_ck));
  controller_.resume(now_, begin, bursts_->rows_at_end(run));
  now_ = begin;
  const Id id = enter(run, 0);  // before all that waits
  requests_[id].pushed = requests_[id].served = bursts - last;
  requests_[id].taken_over = true;
  backlog_.push_front(id);
}

void HbmRunQueue::drain() {
  for (hand_over(kUnknown); !backlog_.empty() || !coming_.empty() || controller_.waiting() > 0;
       hand_over(kUnknown))
    now_ = step(kUnknown);
}

}  // namespace reticle
