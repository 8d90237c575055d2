// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/activity_log.hpp"

#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// `next` follows at once.
void extend(ActivitySpan& span, const ActivitySpan& next, const EventCounts& counts) {
  invariant(next.begun == span.ended, "spans follow each other");
  span.ended = next.ended;
  span.busy += next.busy;
  span.steps += next.steps;
  span.output_tokens += next.output_tokens;
  span.prefill_tokens += next.prefill_tokens;
  span.admitted += next.admitted;
  span.finished += next.finished;
  span.preemptions += next.preemptions;
  span.running = next.running;
  span.waiting = next.waiting;
  span.kv_used = next.kv_used;
  span.counts += counts;
}
}  // namespace

void fill_gaps(std::vector<ActivitySpan>& spans, Picoseconds end) {
  std::vector<ActivitySpan> all;
  Picoseconds last{};
  const auto idle_until = [&](Picoseconds time) {
    if (time <= last) return;
    ActivitySpan idle;
    if (!all.empty()) {  // nothing changes in it
      idle.running = all.back().running;
      idle.waiting = all.back().waiting;
    }
    idle.begun = last;
    idle.ended = time;
    idle.instance = spans.empty() ? 0 : spans.front().instance;
    all.push_back(std::move(idle));
  };
  for (ActivitySpan& span : spans) {
    idle_until(span.begun);
    last = span.ended;
    all.push_back(std::move(span));
  }
  idle_until(end);
  spans = std::move(all);
}

void ActivityLog::add(ActivitySpan step, const EventCounts& counts) {
  if (!spans_.empty() && spans_.back().ended - spans_.back().begun < length_)
    return extend(spans_.back(), step, counts);
  if (spans_.size() >= most_) halve();
  spans_.push_back(std::move(step));
  spans_.back().counts = counts;
}

void ActivityLog::halve() {
  std::vector<ActivitySpan> half;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    if (i % 2 == 0)
      half.push_back(std::move(spans_[i]));
    else
      extend(half.back(), spans_[i], spans_[i].counts);
  }
  spans_ = std::move(half);
  const Picoseconds all = spans_.back().ended - spans_.front().begun;
  length_ = Picoseconds{all.count() / static_cast<std::int64_t>(spans_.size())};
}

}  // namespace reticle
