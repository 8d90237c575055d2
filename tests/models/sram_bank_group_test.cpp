// SPDX-License-Identifier: Apache-2.0
#include "models/sram/sram_bank_group.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

Picoseconds cycles(std::int64_t n) { return time_of(Cycles{n}, kSram.clock); }
const Picoseconds kLatency = time_of(kSram.latency, kSram.clock);

MemoryRun read(Bytes address, Bytes bytes, Bytes piece = 0_B) {
  return {Access::Read, address, bytes, piece};
}

TEST_CASE("SramBankGroup: one access takes its latency and a port cycle") {
  SramBankGroup dut{"dut", kSram};
  const AccessTiming t = dut.access(read(0_B, kSram.width), 7_ns);
  CHECK(t.started == 7_ns);
  CHECK(t.done == 7_ns + kLatency + cycles(1));
  CHECK(t.first_data == t.done);
}

TEST_CASE("SramBankGroup: the second of two requesters in a bank waits the first one's cycles") {
  SramParams params = kSram;
  params.interleave = 1_KiB;
  SramBankGroup dut{"dut", params};
  const std::int64_t n = params.interleave.count() / params.width.count();
  const AccessTiming first = dut.access(read(0_B, params.interleave), 0_ps);
  const AccessTiming second = dut.access(read(0_B, params.width), 0_ps);
  CHECK(first.done == cycles(n) + kLatency);
  CHECK(second.started == cycles(n));
  CHECK(second.done == cycles(n + 1) + kLatency);
  CHECK(dut.stats().waited == cycles(n));
}

TEST_CASE("SramBankGroup: requesters in different banks do not meet") {
  SramBankGroup dut{"dut", kSram};
  for (std::int64_t bank = 0; bank < kSram.banks; ++bank)
    CHECK(dut.access(read(bank * kSram.interleave, kSram.width), 0_ps).done ==
          cycles(1) + kLatency);
  CHECK(dut.stats().waited == 0_ps);
  // One round later the first bank is met again.
  CHECK(dut.access(read(kSram.banks * kSram.interleave, kSram.width), 0_ps).done ==
        cycles(2) + kLatency);
}

TEST_CASE("SramBankGroup: a bank of two ports lets two pass and holds the third") {
  SramParams params = kSram;
  params.ports = 2;
  SramBankGroup dut{"dut", params};
  CHECK(dut.access(read(0_B, params.width), 0_ps).done == cycles(1) + kLatency);
  CHECK(dut.access(read(0_B, params.width), 0_ps).done == cycles(1) + kLatency);
  CHECK(dut.access(read(0_B, params.width), 0_ps).done == cycles(2) + kLatency);
}

TEST_CASE("SramBankGroup: streaming over all banks takes bytes / peak + latency") {
  SramBankGroup dut{"dut", kSram};
  const Bytes bytes = 1000 * kSram.banks * kSram.width;
  CHECK(dut.access(read(0_B, bytes), 0_ps).done ==
        transfer_time(bytes, peak_bandwidth(kSram)) + kLatency);
}

TEST_CASE("SramBankGroup: a piece narrower than a port costs a whole port cycle") {
  SramBankGroup dut{"dut", kSram};
  const std::int64_t pieces = 64 * kSram.banks;
  CHECK(dut.access(read(0_B, pieces * 8_B, 8_B), 0_ps).done >=
        cycles(pieces / kSram.banks) + kLatency);
  CHECK(dut.stats().busy == cycles(pieces));
}

TEST_CASE("SramBankGroup: a run ends with its busiest bank") {
  SramBankGroup dut{"dut", kSram};
  SramLayout layout{kSram};
  const MemoryRun scattered = read(0_B, 100 * 300_B, 300_B);
  const auto& words = layout.words(scattered);
  CHECK(dut.access(scattered, 0_ps).done ==
        cycles(*std::max_element(words.begin(), words.end())) + kLatency);
}

TEST_CASE("SramBankGroup: a crossbar port carries no more than its width") {
  SramParams params = kSram;
  params.crossbar = 2 * params.width;
  SramBankGroup dut{"dut", params};
  const Bytes bytes = 80 * params.width;
  CHECK(dut.access(read(0_B, bytes), 0_ps).done == cycles(40) + kLatency);
  // Its next run waits for the port, another requester's for the banks alone.
  CHECK(dut.access(read(0_B, params.width), 0_ps).started == cycles(40));
  CHECK(dut.access({Access::Read, 0_B, params.width, 0_B, 1}, 0_ps).started == cycles(11));
  CHECK(dut.access({Access::Read, params.width, params.width, 0_B, 2}, 0_ps).started == cycles(10));
}

TEST_CASE("SramBankGroup: the words of the banks add up to the busy time") {
  SramBankGroup dut{"dut", kSram};
  RngStream rng{3, "sram"};
  for (int i = 0; i < 1000; ++i)
    dut.access({.kind = rng.below(2) ? Access::Read : Access::Write,
                .address = Bytes{static_cast<std::int64_t>(rng.below(1 << 16))},
                .bytes = Bytes{static_cast<std::int64_t>(rng.below(5000))},
                .piece = Bytes{static_cast<std::int64_t>(rng.below(3) * 100)}},
               0_ps);
  std::int64_t words = 0;
  for (std::int64_t bank = 0; bank < kSram.banks; ++bank) {
    CHECK(dut.bank_words(bank) > 0);
    words += dut.bank_words(bank);
  }
  CHECK(dut.stats().busy == cycles(words));
}

TEST_CASE("SramBankGroup: full rounds load every bank alike") {
  SramBankGroup dut{"dut", kSram};
  const Bytes each = 37 * kSram.interleave;
  dut.access(read(3 * kSram.interleave, kSram.banks * each), 0_ps);
  for (std::int64_t bank = 0; bank < kSram.banks; ++bank)
    CHECK(dut.bank_words(bank) == each.count() / kSram.width.count());
}

}  // namespace
}  // namespace reticle
