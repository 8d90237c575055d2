// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/activity_log.hpp"

#include <doctest/doctest.h>

using namespace reticle;

namespace {
/// Step `i` of a made-up run: lengths and counts of their own, so that nothing cancels.
ActivitySpan step(std::int64_t i, Picoseconds begun) {
  ActivitySpan span;
  span.begun = begun;
  span.ended = begun + Picoseconds{10 + i % 7};
  span.busy = Picoseconds{5 + i % 3};
  span.steps = 1;
  span.output_tokens = i;
  span.waiting = i;
  span.counts.vector_ops = 3 * i;
  return span;
}
}  // namespace

TEST_CASE("activity: spans follow each other and keep all sums, however many steps there are") {
  for (const std::int64_t steps : {1, 7, 8, 9, 100, 1000}) {
    CAPTURE(steps);
    ActivityLog log{8};
    Picoseconds now{};
    std::int64_t busy = 0;
    for (std::int64_t i = 0; i < steps; ++i) {
      const ActivitySpan span = step(i, now);
      now = span.ended;
      busy += span.busy.count();
      log.add(span, span.counts);
    }
    REQUIRE(log.spans().size() <= 8);
    ActivitySpan sum;
    Picoseconds last{};
    for (const ActivitySpan& span : log.spans()) {
      CHECK(span.begun == last);
      last = span.ended;
      sum.busy += span.busy;
      sum.steps += span.steps;
      sum.output_tokens += span.output_tokens;
      sum.counts += span.counts;
    }
    CHECK(last == now);
    CHECK(sum.busy.count() == busy);
    CHECK(sum.steps == steps);
    CHECK(sum.output_tokens == steps * (steps - 1) / 2);
    CHECK(sum.counts.vector_ops == 3 * steps * (steps - 1) / 2);
    CHECK(log.spans().back().waiting == steps - 1);
  }
}

TEST_CASE("activity: as long as there is room each step has a span of its own") {
  ActivityLog log{8};
  for (std::int64_t i = 0; i < 8; ++i) log.add(step(0, Picoseconds{10 * i}), {});
  CHECK(log.spans().size() == 8);
}
