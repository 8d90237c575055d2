// SPDX-License-Identifier: Apache-2.0
#include "models/tier/tier_device.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

TierDeviceParams device() { return far_memory().device; }

MemoryRun read(Bytes bytes, Bytes piece = {}) { return {Access::Read, 0_B, bytes, piece}; }

Picoseconds alone(const TierDeviceParams& p, const MemoryRun& run) {
  TierDevice dut{p};
  return dut.reserve(run, 0_ps, 1_B).end;
}

TEST_CASE("TierDevice: a long run streams at the rate of all channels") {
  const TierDeviceParams p = device();
  const Bytes bytes = 1000 * p.channels * p.interleave;
  CHECK(alone(p, read(bytes)) == transfer_time(bytes, peak_bandwidth(p)));
}

TEST_CASE("TierDevice: a short run uses the channels it touches and moves whole bursts") {
  const TierDeviceParams p = device();
  CHECK(alone(p, read(1_B)) == 5_ns);  // tFAW / 4, above a burst's 2 ns
  CHECK(alone(p, read(p.interleave)) == transfer_time(p.interleave, p.rate));
  CHECK(alone(p, read(3 * p.interleave)) == transfer_time(p.interleave, p.rate));
}

TEST_CASE("TierDevice: small random pieces are bound by the activate window") {
  const TierDeviceParams p = device();
  const std::int64_t pieces = 4000;
  CHECK(alone(p, read(pieces * p.burst, p.burst)) == pieces / p.channels * 5_ns);
}

TEST_CASE("TierDevice: with few banks the bank cycle binds instead") {
  TierDeviceParams p = device();
  p.banks = 4;
  const std::int64_t pieces = 4000;
  CHECK(alone(p, read(pieces * p.burst, p.burst)) ==
        Picoseconds{pieces / p.channels * p.page_read.count() / 4});
  const MemoryRun write{Access::Write, 0_B, pieces * p.burst, p.burst};
  CHECK(alone(p, write) == Picoseconds{pieces / p.channels * p.page_write.count() / 4});
}

TEST_CASE("TierDevice: pieces of a page each approach the stream") {
  const TierDeviceParams p = device();
  const std::int64_t pieces = 400;
  CHECK(alone(p, read(pieces * p.page, p.page)) ==
        transfer_time(pieces * p.page, peak_bandwidth(p)));
}

TEST_CASE("TierDevice: runs on other channels do not wait, on the same they do") {
  const TierDeviceParams p = device();
  TierDevice dut{p};
  const Picoseconds one = transfer_time(p.interleave, p.rate);
  CHECK(dut.reserve(read(p.interleave), 0_ps, 1_B).end == one);
  CHECK(dut.reserve({Access::Read, p.interleave, p.interleave, 0_B}, 0_ps, 1_B).end == one);
  CHECK(dut.reserve(read(p.interleave), 0_ps, 1_B).start == one);
}

/// Work done picosecond by picosecond, none of it while a refresh holds the device.
std::int64_t stepped(std::int64_t at, std::int64_t work, std::int64_t interval, std::int64_t held) {
  while (work > 0) {
    const bool refreshing = at >= interval && at % interval < held;
    if (!refreshing) --work;
    ++at;
  }
  return at;
}

TEST_CASE("TierDevice: refresh holds the device when it is due, as stepping through time does") {
  TierDeviceParams p = device();
  p.refresh_interval = 97_ps;
  p.refresh_time = 13_ps;
  const TierDevice dut{p};
  RngStream rng{4, "refresh"};
  for (int i = 0; i < 2000; ++i) {
    const auto start = static_cast<std::int64_t>(rng.below(400));
    const auto work = static_cast<std::int64_t>(1 + rng.below(500));
    CHECK(dut.through_refresh(Picoseconds{start}, Picoseconds{work}).count() ==
          stepped(start, work, 97, 13));
  }
}

TEST_CASE("TierDevice: a stream loses the share of time that refresh takes") {
  TierDeviceParams p = device();
  p.refresh_interval = 3900_ns;
  p.refresh_time = 295_ns;
  const Bytes bytes = 1'000'000 * p.channels * p.interleave;
  const double share =
      seconds(transfer_time(bytes, peak_bandwidth(p))) / seconds(alone(p, read(bytes)));
  CHECK(share == doctest::Approx(1 - 295.0 / 3900).epsilon(1e-4));
}

}  // namespace
}  // namespace reticle
