// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/token_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace reticle;

namespace {
constexpr Picoseconds at(std::int64_t second) {
  return Picoseconds{second * kPicosecondsPerSecond};
}

/// `before` tokens a second until 100 s, none until 120 s, `after` from then to 200 s.
TokenLog log_of(std::int64_t before, std::int64_t after) {
  TokenLog log;
  for (std::int64_t s = 1; s <= 200; ++s)
    log.add(at(s),
            before * std::min<std::int64_t>(s, 100) + after * std::max<std::int64_t>(0, s - 120));
  return log;
}

FaultRecord fault(std::int64_t second, std::optional<Picoseconds> back) {
  FaultRecord record;
  record.fault.at = at(second);
  record.back = record.over = back;
  return record;
}
}  // namespace

TEST_CASE("token log: a rate is what came over the time it took") {
  const TokenLog log = log_of(10, 4);
  CHECK(*log.rate(at(0), at(100)) == doctest::Approx(10));
  // What a step brings comes at its end.
  CHECK(*log.rate(Picoseconds{at(3).count() / 2}, at(2)) == doctest::Approx(20));
  CHECK(*log.rate(at(90), at(110)) == doctest::Approx(5));
  CHECK(*log.rate(at(200), at(300)) == doctest::Approx(0));
  CHECK(!log.rate(at(7), at(7)));
}

TEST_CASE("token log: a long one is thinned and keeps its rates") {
  TokenLog log;
  for (std::int64_t s = 1; s <= 100'000; ++s) log.add(at(s), 3 * s);
  // To a sample's distance, eight seconds here.
  CHECK(*log.rate(at(10), at(99'000)) == doctest::Approx(3).epsilon(1e-4));
}

TEST_CASE("faults: rates before, while it lasts and after it leave out how a run begins and ends") {
  TokenLog log;
  for (std::int64_t s = 41; s <= 200; ++s)  // nothing comes for 40 s, nor after 180
    log.add(at(s), 10 * (std::min<std::int64_t>(s, 100) - 40) +
                       5 * std::clamp<std::int64_t>(s - 120, 0, 60));
  std::vector<FaultRecord> faults{fault(100, at(120))};
  rate_faults(faults, log, at(180), at(200));
  CHECK(*faults[0].rate_before == doctest::Approx(10));
  CHECK(*faults[0].rate_during == doctest::Approx(0));
  CHECK(*faults[0].rate_after == doctest::Approx(5));
}

TEST_CASE("faults: while one lasts there is no rate before another") {
  std::vector<FaultRecord> faults{fault(100, std::nullopt), fault(110, at(120)),
                                  fault(160, at(170))};
  rate_faults(faults, log_of(10, 4), at(200), at(200));
  CHECK(faults[0].rate_before);
  CHECK(!faults[0].rate_after);
  CHECK(!faults[1].rate_before);
  CHECK(*faults[1].rate_after == doctest::Approx(4));
  CHECK(*faults[2].rate_before == doctest::Approx(4));
}
