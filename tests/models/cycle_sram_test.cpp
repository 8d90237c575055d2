// SPDX-License-Identifier: Apache-2.0
#include "models/sram/cycle_sram.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

Picoseconds cycles(std::int64_t n) { return time_of(Cycles{n}, kSram.clock); }
const Picoseconds kLatency = time_of(kSram.latency, kSram.clock);

MemoryRun read(Bytes address, Bytes bytes, std::uint8_t requester = 0) {
  return {Access::Read, address, bytes, 0_B, requester};
}
/// `words` of one bank, for one requester.
MemoryRun in_bank(std::int64_t words, std::uint8_t requester) {
  return read(0_B, words * kSram.width, requester);
}
SramParams one_bank(std::int64_t ports = 1) {
  SramParams p = kSram;
  p.banks = 1;
  p.ports = ports;
  return p;
}

TEST_CASE("CycleSram: a run begins at the next clock edge and streams over all banks") {
  CycleSram dut{"dut", kSram};
  const AccessTiming t = dut.access(read(0_B, 100 * kSram.banks * kSram.width), 7_ns + 1_ps);
  CHECK(t.started == 8_ns);
  CHECK(t.first_data == 8_ns + cycles(1) + kLatency);
  CHECK(t.done == 8_ns + cycles(100) + kLatency);
}

TEST_CASE("CycleSram: two requesters in one bank take turns") {
  CycleSram dut{"dut", one_bank()};
  const auto a = dut.submit(in_bank(10, 0), 0_ps);
  const auto b = dut.submit(in_bank(10, 1), 0_ps);
  CHECK(dut.resolve(a).done == cycles(19) + kLatency);
  CHECK(dut.resolve(b).done == cycles(20) + kLatency);
}

TEST_CASE("CycleSram: round robin keeps a short run from waiting behind a long one") {
  CycleSram dut{"dut", one_bank()};
  const auto weights = dut.submit(in_bank(1000, 0), 0_ps);
  const auto kv = dut.submit(in_bank(30, 1), 100_ns);
  const auto writer = dut.submit({Access::Write, 0_B, 5 * kSram.width, 0_B, 2}, 100_ns);
  CHECK(dut.resolve(writer).done == cycles(100 + 3 * 5 - 1) + kLatency);
  // Behind the writer's five words the two share the port.
  CHECK(dut.resolve(kv).done == cycles(100 + 3 * 5 + 2 * 25 - 1) + kLatency);
  CHECK(dut.resolve(weights).done == cycles(1035) + kLatency);
}

TEST_CASE("CycleSram: a requester's runs are served in their order") {
  CycleSram dut{"dut", one_bank()};
  const auto older = dut.submit(in_bank(10, 0), 0_ps);
  const auto newer = dut.submit(in_bank(10, 0), 0_ps);
  CHECK(dut.resolve(newer).done == cycles(20) + kLatency);
  CHECK(dut.resolve(older).done == cycles(10) + kLatency);
}

TEST_CASE("CycleSram: a bank of two ports serves two runs at a time, a run through one of them") {
  CycleSram dut{"dut", one_bank(2)};
  std::array<CycleSram::Ticket, 3> t{};
  for (std::uint8_t r = 0; r < 3; ++r) t[r] = dut.submit(in_bank(20, r), 0_ps);
  for (const auto ticket : t) {
    const Picoseconds done = dut.resolve(ticket).done;
    CHECK(done >= cycles(29) + kLatency);  // 60 words through two ports
    CHECK(done <= cycles(30) + kLatency);
  }
  CycleSram alone{"alone", one_bank(2)};
  CHECK(alone.access(in_bank(20, 0), 0_ps).done == cycles(20) + kLatency);
}

TEST_CASE("CycleSram: a crossbar port carries no more than its width") {
  for (const std::int64_t wide : {1, 2, 3, 5}) {
    SramParams p = kSram;
    p.crossbar = wide * p.width;
    CycleSram dut{sc_core::sc_gen_unique_name("dut"), p};
    const std::int64_t words = 24;
    CHECK(dut.access(read(0_B, words * p.width), 0_ps).done ==
          cycles(div_up(words, wide)) + kLatency);
  }
}

TEST_CASE("CycleSram: two narrow requesters do not meet where the banks have room for both") {
  SramParams p = kSram;
  p.crossbar = 4 * p.width;
  CycleSram dut{"dut", p};
  const auto a = dut.submit(read(0_B, 80 * p.width, 0), 0_ps);
  const auto b = dut.submit(read(4 * p.interleave, 80 * p.width, 1), 0_ps);
  CHECK(dut.resolve(a).done == cycles(20) + kLatency);
  CHECK(dut.resolve(b).done == cycles(20) + kLatency);
}

TEST_CASE("CycleSram: grants stand: a call that comes later takes what is left") {
  CycleSram dut{"dut", kSram};
  dut.access(read(0_B, 100 * kSram.width), 0_ps);  // 13 words in four banks, 12 in the others
  CHECK(dut.access(read(0_B, kSram.width, 1), 0_ps).started == cycles(13));
  CHECK(dut.access(read(4 * kSram.width, kSram.width, 1), 0_ps).started == cycles(12));
}

/// The plainest arbiter there is, for one-word-wide requesters at one bank: a queue per requester,
/// asked in turn each cycle.
std::vector<std::int64_t> taken_in_turn(std::vector<std::int64_t> words) {
  std::vector<std::int64_t> end(words.size());
  std::size_t turn = 0;
  for (std::int64_t cycle = 0;; ++cycle) {
    std::size_t tried = 0;
    while (tried < words.size() && words[turn] == 0) turn = (turn + 1) % words.size(), ++tried;
    if (tried == words.size()) return end;
    if (--words[turn] == 0) end[turn] = cycle + 1;
    turn = (turn + 1) % words.size();
  }
}

TEST_CASE("CycleSram: as a queue per requester asked in turn") {
  RngStream rng{2, "turns"};
  for (int i = 0; i < 200; ++i) {
    std::vector<std::int64_t> words(1 + rng.below(6));
    for (auto& w : words) w = static_cast<std::int64_t>(1 + rng.below(40));
    CycleSram dut{sc_core::sc_gen_unique_name("dut"), one_bank()};
    std::vector<CycleSram::Ticket> tickets;
    for (std::size_t r = 0; r < words.size(); ++r)
      tickets.push_back(dut.submit(in_bank(words[r], static_cast<std::uint8_t>(r)), 0_ps));
    const auto expected = taken_in_turn(words);
    for (std::size_t r = 0; r < words.size(); ++r)
      CHECK(dut.resolve(tickets[r]).done == cycles(expected[r]) + kLatency);
  }
}

}  // namespace
}  // namespace reticle
