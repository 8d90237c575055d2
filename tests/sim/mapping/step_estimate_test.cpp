// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/step_estimate.hpp"

#include <doctest/doctest.h>

#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

// Of small_die(): SRAM latency 4 + 1 cycles of 1 ns, 128 x 64 B per ns; HBM 512 B per ns.
constexpr Picoseconds kSramLatency = 5_ns;

Instruction load(std::int64_t bytes, Tier tier = Tier::Sram) {
  Instruction in{.code = OpCode::Load,
                 .unit = tier == Tier::Sram ? Unit::SramPort : Unit::HbmPort,
                 .tier = tier};
  in.amount = bytes;
  return in;
}

Instruction wait(Picoseconds time, std::int32_t after = kNoInstruction) {
  Instruction in{.code = OpCode::Wait, .unit = Unit::Control};
  in.amount = time.count();
  in.after[0] = after;
  return in;
}

/// 16 x 16 x 16 on one of the arrays: a pass of 16 cycles, 30 of skew.
Instruction mac(Program& program, Dependency first, Dependency second = {}) {
  Instruction in{.code = OpCode::Mac, .unit = Unit::Mac, .precision = Precision::Fp8};
  in.shapes_begin = static_cast<std::int32_t>(program.shapes.size());
  program.shapes.push_back({16, 16, 16, 1});
  in.shapes_end = in.shapes_begin + 1;
  in.after[0] = first;
  in.after[1] = second;
  return in;
}
constexpr Picoseconds kMac = 46_ns;

Instruction join(std::int32_t exchange, std::int32_t slot, std::int32_t after) {
  Instruction in{.code = OpCode::Exchange, .unit = Unit::Fabric};
  in.exchange = exchange;
  in.slot = slot;
  in.after[0] = after;
  return in;
}

Picoseconds time_of(const PlatformSpec& platform, const StepPrograms& step) {
  return StepEstimate{platform}.time_of_step(step);
}

}  // namespace

TEST_CASE("StepEstimate: loads of a port queue, those of two ports run side by side") {
  const PlatformSpec platform = small_platform(1);
  StepPrograms step;
  step.dies.resize(1);
  step.dies[0].add(load(8192 * 100));
  CHECK(time_of(platform, step) == 100_ns + kSramLatency);
  step.dies[0].add(load(8192 * 100));
  CHECK(time_of(platform, step) == 200_ns + kSramLatency);
  step.dies[0].add(load(512 * 100, Tier::Hbm));
  CHECK(time_of(platform, step) == 200_ns + kSramLatency);
}

TEST_CASE("StepEstimate: a product that streams its operand ends a pass and the skew behind it") {
  const PlatformSpec platform = small_platform(1);
  StepPrograms step;
  step.dies.resize(1);
  Program& program = step.dies[0];
  const std::int32_t weights = program.add(load(8192 * 100));
  SUBCASE("streaming: the product overlaps the load") {
    program.add(mac(program, {weights, true}));
    CHECK(time_of(platform, step) == 100_ns + kSramLatency + kMac);
  }
  SUBCASE("short load: the product begins with the first data") {
    program.code[0].amount = 64;
    program.add(mac(program, {weights, true}));
    CHECK(time_of(platform, step) >= kSramLatency + kMac);
    CHECK(time_of(platform, step) <= kSramLatency + kMac + 1_ns);
  }
}

TEST_CASE("StepEstimate: a staged load waits for room that the consumer of an earlier one frees") {
  // Two loads of 32 KiB fill the 64 KiB of staging; the third waits until the first is consumed,
  // which a wait of 1 us holds up.
  const PlatformSpec platform = small_platform(1);
  StepPrograms step;
  step.dies.resize(1);
  Program& program = step.dies[0];
  const std::int32_t held = program.add(wait(1_us));
  std::array<std::int32_t, 3> loads{};
  for (std::int32_t& at : loads) {
    Instruction in = load(32 * 1024, Tier::Hbm);
    in.staged = true;
    at = program.add(in);
    const std::int32_t user = program.add(mac(program, {at, true}, {held}));
    program.code[static_cast<std::size_t>(at)].consumer = user;
  }
  // The first consumer ends at 1 us + its time; then 64 ns of transfer and the last product.
  const Picoseconds last = 1_us + kMac + 64_ns + kMac;
  CHECK(time_of(platform, step) >= last);
  CHECK(time_of(platform, step) < last + 5_ns);
}

TEST_CASE("StepEstimate: an exchange begins with its last participant and holds up all") {
  const PlatformSpec platform = small_platform(2);
  const Collectives collectives{platform};
  const Exchange sum = all_reduce({0, 2, 1}, 1_KiB, AllReduceKind::OneShot, 1);
  StepPrograms step;
  step.dies.resize(2);
  step.exchanges.push_back(std::make_shared<const Exchange>(sum));
  for (std::int32_t die = 0; die < 2; ++die) {
    Program& program = step.dies[static_cast<std::size_t>(die)];
    const std::int32_t held = program.add(wait(die == 0 ? 700_ns : 100_ns));
    const std::int32_t joined = program.add(join(0, die, held));
    program.add(wait(die == 0 ? 10_ns : 50_ns, joined));
  }
  CHECK(time_of(platform, step) == 700_ns + collectives.estimate(sum) + 50_ns);
  // 20 ns to start, 5 ns of wire, 1,024 B at 1 TB/s.
  CHECK(collectives.estimate(sum) == 20_ns + 5_ns + Picoseconds{1024});
}

TEST_CASE("StepEstimate: dies that do the same take what each of them takes by itself") {
  const PlatformSpec platform = small_platform(4);
  const auto step_of = [](bool labelled) {
    StepPrograms step;
    step.dies.resize(4);
    for (int i = 0; i < 2; ++i)
      step.exchanges.push_back(std::make_shared<const Exchange>(
          all_reduce({0, 4, 1}, Bytes{1024 << i}, AllReduceKind::OneShot, 1)));
    for (std::int32_t die = 0; die < 4; ++die) {
      Program& program = step.dies[static_cast<std::size_t>(die)];
      // The last is slower before one exchange and behind the other.
      Instruction first = load(die == 3 ? 8192 : 4096, Tier::Hbm);
      if (labelled) first.label = static_cast<std::uint8_t>(die + 1);
      first.address = die * 64;
      std::int32_t at = program.add(first);
      at = program.add(mac(program, Dependency{at, true}));
      at = program.add(join(0, die, at));
      at = program.add(wait(100_ns, at));
      at = program.add(join(1, die, at));
      program.add(wait(die == 3 ? 70_ns : 30_ns, at));
    }
    return step;
  };
  const Picoseconds alike = time_of(platform, step_of(false));
  CHECK(alike == time_of(platform, step_of(true)));  // labels have no time, but tell dies apart
  CHECK(alike > 16_ns + kMac + 100_ns + 70_ns);      // 8,192 B at 512 B per ns
}
