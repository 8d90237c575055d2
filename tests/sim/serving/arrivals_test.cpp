// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/arrivals.hpp"

#include <doctest/doctest.h>

#include "sim/base/error.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
Request turn(std::uint64_t id, Picoseconds at, std::optional<std::uint64_t> session,
             std::optional<Picoseconds> pause = {}, std::int32_t depth = 0) {
  Request r;
  r.id = RequestId{id};
  r.arrival = at;
  r.session = session;
  r.pause = pause;
  r.depth = depth;
  return r;
}
}  // namespace

TEST_CASE("arrivals: an open loop gives every request at its time, faster by the scale") {
  Trace trace;
  trace.requests = {turn(0, 100_ms, {}), turn(1, 300_ms, 5), turn(2, 300_ms, 5, 1_ms)};
  Arrivals arrivals{trace, 2.0, false};
  CHECK(arrivals.next() == 50_ms);
  CHECK(arrivals.take() == RequestId{0});
  CHECK(arrivals.next() == 150_ms);
  CHECK(arrivals.take() == RequestId{1});
  CHECK(arrivals.take() == RequestId{2});
  CHECK(!arrivals.next());
}

TEST_CASE("arrivals: in a closed loop a turn waits for the one before, and its pause") {
  Trace trace;
  trace.requests = {turn(0, 0_ms, 5), turn(1, 1_ms, 5, 20_ms), turn(2, 2_ms, 6)};
  Arrivals arrivals{trace, 1.0, true};
  CHECK(arrivals.take() == RequestId{0});
  CHECK(arrivals.take() == RequestId{2});
  CHECK(!arrivals.next());
  arrivals.ended(RequestId{2}, 50_ms);
  CHECK(!arrivals.next());
  arrivals.ended(RequestId{0}, 70_ms);
  CHECK(arrivals.next() == 90_ms);
  CHECK(arrivals.take() == RequestId{1});
}

TEST_CASE("arrivals: a sub-agent's turns follow each other, not those of its session") {
  Trace trace;
  trace.requests = {turn(0, 0_ms, 5), turn(1, 1_ms, 5, {}, 1), turn(2, 2_ms, 5, 3_ms, 1)};
  Arrivals arrivals{trace, 1.0, true};
  CHECK(arrivals.take() == RequestId{0});
  CHECK(arrivals.take() == RequestId{1});
  arrivals.ended(RequestId{0}, 5_ms);
  CHECK(!arrivals.next());
  arrivals.ended(RequestId{1}, 10_ms);
  CHECK(arrivals.next() == 13_ms);
}

TEST_CASE("arrivals: a closed loop of turns without pauses is refused") {
  Trace trace;
  trace.requests = {turn(0, 0_ms, 5), turn(1, 1_ms, 5)};
  CHECK_THROWS_AS((Arrivals{trace, 1.0, true}), ConfigError);
}
