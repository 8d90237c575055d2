// SPDX-License-Identifier: Apache-2.0
#include "models/package/deployment.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "sim/base/rng.hpp"
#include "tests/models/die_bench.hpp"
#include "tests/models/quantity_text.hpp"

namespace reticle {
namespace {

constexpr std::int32_t kDies = 6;

PlatformSpec six_dies() {
  PlatformSpec spec = platform(kDies);
  spec.fabric = fabric_of(TopologyKind::Ring, kDies);
  spec.die.hbm->refresh = RefreshMode::AllBank;
  return spec;
}

struct Loaded {
  std::array<Bytes, kTierCount> read{}, written{};
  Bytes sent{};
};

/// Layers of loads, products, vector work and stores with an all-to-all between them; sizes and
/// dependencies are drawn.
StepPrograms random_step(std::uint64_t seed, Loaded& loaded) {
  RngStream rng{seed, "random program"};
  const auto draw = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bound)));
  };
  StepPrograms step = empty_step(kDies);
  std::array<std::int32_t, kDies> last;
  last.fill(kNoInstruction);
  for (std::int32_t layer = 0; layer < 12; ++layer) {
    Exchange all{everyone(kDies), {}};
    for (int phase = 0; phase < 2; ++phase) {
      auto& messages = all.phases.emplace_back();
      for (std::int32_t s = 0; s < kDies; ++s)
        for (std::int32_t d = 0; d < kDies; ++d)
          if (s != d) {
            messages.push_back({s, d, Bytes{draw(50'000)}});
            loaded.sent += messages.back().bytes;
          }
    }
    add_exchange(step, all);
    for (std::int32_t die = 0; die < kDies; ++die) {
      Program& p = step.dies[static_cast<std::size_t>(die)];
      const auto tier = static_cast<Tier>(draw(3));
      Instruction weights = load(tier, Bytes{1 + draw(32'000)}, draw(1 << 20));
      weights.piece = static_cast<std::int32_t>(draw(2) * 1024);
      weights.staged = tier != Tier::Sram;
      weights.consumer = static_cast<std::int32_t>(p.code.size()) + 1;
      const std::int32_t ready = p.add(weights);
      loaded.read[static_cast<std::size_t>(tier)] += Bytes{weights.amount};
      const std::int32_t product =
          p.add(after(streaming(mac(p, {1 + draw(300), 128, 128 * (1 + draw(8)), 1}), ready),
                      last[static_cast<std::size_t>(die)]));
      const std::int32_t norm = p.add(after(vector_op(1 + draw(10'000)), product));
      const Instruction kv = after(store(Tier::Hbm, Bytes{1 + draw(4'000)}), product);
      p.add(kv);
      loaded.written[static_cast<std::size_t>(Tier::Hbm)] += Bytes{kv.amount};
      last[static_cast<std::size_t>(die)] = p.add(after(exchange(layer, die), norm));
    }
  }
  return step;
}

std::uint64_t digest(const Deployment& dut, const StepPrograms& step) {
  std::uint64_t hash = 0;
  const auto mix = [&](std::int64_t value) {
    hash = combine64(hash, static_cast<std::uint64_t>(value));
  };
  for (std::uint32_t die = 0; die < dut.size(); ++die)
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(step.dies[die].code.size()); ++i) {
      const Execution& e = execution(dut, die, i);
      for (const Picoseconds t : {e.start, e.first, e.end}) mix(t.count());
      mix(e.start_cause);
      mix(e.end_cause);
    }
  mix(dut.counts().hbm_activates);
  mix(dut.end().count());
  return hash;
}

/// Runs `body` in a process of its own: the kernel elaborates once per process.
std::uint64_t in_child(const std::function<std::uint64_t()>& body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::uint64_t result = 0;
    try {
      result = body();
    } catch (...) {
      _exit(1);
    }
    const bool written = write(ends[1], &result, sizeof result) == sizeof result;
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::uint64_t result = 0;
  const bool whole = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(whole);
  REQUIRE(status == 0);
  return result;
}

TEST_CASE("Deployment: the order of elaboration does not change a single execution record") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const auto run = [&](const std::vector<std::size_t>& order) {
      return in_child([&] {
        Loaded loaded;
        const StepPrograms step = random_step(seed, loaded);
        Deployment dut{"dut", six_dies(), order};
        run_in_thread([&] { run_step(dut, step); });
        return dut.finished() ? digest(dut, step) : 0;
      });
    };
    const std::uint64_t forward = run({});
    CHECK(forward != 0);
    CHECK(forward == run({5, 4, 3, 2, 1, 0}));
    CHECK(forward == run({2, 5, 0, 4, 1, 3}));
  }
}

TEST_CASE("Deployment: what the programs load, store and send is what the modules count") {
  Loaded loaded;
  const StepPrograms step = random_step(42, loaded);
  Deployment dut{"dut", six_dies()};
  run_in_thread([&] { run_step(dut, step); });
  REQUIRE(dut.finished());
  const EventCounts counts = dut.counts();
  Bytes by_purpose{};
  for (const Bytes bytes : counts.loaded) by_purpose += bytes;
  Bytes by_tier{};
  for (std::size_t tier = 0; tier < kTierCount; ++tier) {
    CHECK(counts.read[tier] == loaded.read[tier]);
    CHECK(counts.written[tier] == loaded.written[tier]);
    by_tier += counts.read[tier];
  }
  CHECK(by_purpose == by_tier);
  CHECK(dut.fabric().sent() == loaded.sent);
  CHECK(dut.fabric().received() == loaded.sent);
}

TEST_CASE("Deployment: no instruction starts before its operands, and its end is its unit's time") {
  Loaded loaded;
  const StepPrograms step = random_step(7, loaded);
  Deployment dut{"dut", six_dies()};
  run_in_thread([&] { run_step(dut, step); });
  for (std::uint32_t die = 0; die < kDies; ++die) {
    const Program& p = step.dies[die];
    for (std::size_t i = 0; i < p.code.size(); ++i) {
      const Execution& e = execution(dut, die, static_cast<std::int32_t>(i));
      CHECK(0_ps <= e.start);
      CHECK(e.start <= e.first);
      CHECK(e.first <= e.end);
      CHECK(e.end <= dut.end());
      for (const Dependency& dep : p.code[i].after) {
        if (dep.on() == kNoInstruction) continue;
        const Execution& before = execution(dut, die, dep.on());
        CHECK(e.start >= (dep.streaming() ? before.first : before.end));
        CHECK(e.end >= before.end);
      }
    }
  }
}

TEST_CASE("Deployment: a die that never joins leaves the step unfinished, and is named") {
  Deployment dut{"dut", platform(2)};
  StepPrograms step = empty_step(2);
  add_exchange(step, one_phase(2, {{0, 1, 64_KiB}, {1, 0, 64_KiB}}));
  Program& waiting = step.dies[0];
  const std::int32_t joined = waiting.add(exchange(0, 0));
  waiting.add(after(vector_op(1), joined));
  step.dies[1].add(vector_op(1));
  run_in_thread([&] { dut.start(step); });
  CHECK_FALSE(dut.finished());
  const std::string pending = dut.pending();
  CAPTURE(pending);
  CHECK(pending.find("exchange 0 waits for 1 of 2") != std::string::npos);
  CHECK(pending.find("die0.sequencer: joined exchange 0") != std::string::npos);
  CHECK(pending.find("vector: instruction 1") != std::string::npos);
  CHECK(pending.find("die1") == std::string::npos);
}

TEST_CASE("Deployment: a finished step has nothing pending, an empty one ends at once") {
  Deployment dut{"dut", platform(3)};
  CHECK(dut.finished());
  const StepPrograms step = empty_step(3);
  run_in_thread([&] { run_step(dut, step); });
  CHECK(dut.finished());
  CHECK(dut.pending().empty());
  CHECK(dut.end() == 0_ps);
}

TEST_CASE("EventCounts: a difference of two readings is what lies between them") {
  Loaded loaded;
  const StepPrograms step = random_step(8, loaded);
  Deployment dut{"dut", six_dies()};
  EventCounts once, between;
  run_in_thread([&] {
    run_step(dut, step);
    once = dut.counts();
    wait_until(dut.end());
    run_step(dut, step);
    between = dut.counts();
    between -= once;
  });
  for (std::size_t tier = 0; tier < kTierCount; ++tier)
    CHECK(between.read[tier] == once.read[tier]);
  CHECK(between.macs == once.macs);
  CHECK(between.link_bytes == once.link_bytes);
  CHECK(between.vector_ops == once.vector_ops);
  EventCounts sum = once;
  sum += between;
  CHECK(sum.staged == dut.counts().staged);
}

}  // namespace
}  // namespace reticle
