// SPDX-License-Identifier: Apache-2.0
#include "models/die/sequencer.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/models/die_bench.hpp"
#include "tests/models/quantity_text.hpp"

namespace reticle {
namespace {

const Bytes kStaging = platform(1).die.sequencer.staging;
const HbmParams kHbm = hbm3(RefreshMode::Off);

/// Times of the units on their own, from fresh copies of them.
struct Alone {
  HbmMemory hbm{"alone_hbm", kHbm};
  LinkedMemory far{"alone_far", far_memory()};
  MacArray mac{"alone_mac", mac_array()};
  VectorUnit vector{"alone_vector", kVector};
};

GemmShape gemm(std::int64_t m, std::int64_t tiles) {
  const MacParams p = mac_array();
  return {m, p.rows, tiles * p.cols, 1};
}
MemoryRun read(Bytes bytes) { return {Access::Read, 0_B, bytes, 0_B}; }

TEST_CASE("Sequencer: a product ends with its array or, later, with its streamed weights") {
  Deployment long_mac{"long_mac", platform(1)};
  Deployment long_load{"long_load", platform(1)};
  Alone alone;
  HbmMemory fresh_hbm{"fresh_hbm", kHbm};
  MacArray fresh_mac{"fresh_mac", mac_array()};
  const auto program = [](Bytes bytes, GemmShape shape) {
    StepPrograms step = empty_step(1);
    Program& p = step.dies[0];
    const std::int32_t weights = p.add(load(Tier::Hbm, bytes));
    p.add(streaming(mac(p, shape), weights));
    return step;
  };
  const GemmShape large = gemm(4096, 64), small = gemm(1, 1);
  const StepPrograms by_mac = program(4_KiB, large), by_load = program(1_MiB, small);
  run_in_thread([&] {
    run_step(long_mac, by_mac);
    run_step(long_load, by_load);
  });
  const AccessTiming short_read = alone.hbm.access(read(4_KiB), 0_ps);
  const AccessTiming long_read = fresh_hbm.access(read(1_MiB), 0_ps);
  const MacTiming long_compute =
      alone.mac.compute(std::vector{large}, Precision::Fp8, short_read.first_data);
  CHECK(execution(long_mac, 0, 1).start == short_read.first_data);
  CHECK(long_compute.done > short_read.done + long_compute.tail);
  CHECK(long_mac.end() == long_compute.done);
  CHECK(execution(long_mac, 0, 1).end_cause == kNoInstruction);

  const Picoseconds tail = fresh_mac.compute(std::vector{small}, Precision::Fp8, 0_ps).tail;
  CHECK(long_load.end() == long_read.done + tail);
  CHECK(execution(long_load, 0, 1).end_cause == 0);
}

TEST_CASE("Sequencer: a dependency that does not stream waits for the producer's end") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  const std::int32_t weights = p.add(load(Tier::Hbm, 64_KiB));
  p.add(after(mac(p, gemm(1, 1)), weights));
  run_in_thread([&] { run_step(dut, step); });
  CHECK(execution(dut, 0, 1).start == execution(dut, 0, 0).end);
  CHECK(execution(dut, 0, 1).start_cause == 0);
  CHECK(dut.die(DieId{0}).sequencer.last_instruction() == 1);
}

TEST_CASE("Sequencer: the unit is held until its last operand has streamed in") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  const std::int32_t slow = p.add(load(Tier::Far, 1_MiB));
  const std::int32_t first = p.add(streaming(mac(p, gemm(1, 1)), slow));
  const std::int32_t second = p.add(mac(p, gemm(1, 1)));
  run_in_thread([&] { run_step(dut, step); });
  CHECK(execution(dut, 0, second).start == execution(dut, 0, slow).end);
  CHECK(execution(dut, 0, second).start_cause == first);
}

TEST_CASE("Sequencer: units run side by side, each in program order") {
  Deployment dut{"dut", platform(1)};
  Alone alone;
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  p.add(load(Tier::Hbm, 1_MiB));
  p.add(mac(p, gemm(256, 4)));
  p.add(vector_op(100'000));
  p.add(load(Tier::Far, 1_MiB));
  run_in_thread([&] { run_step(dut, step); });
  CHECK(execution(dut, 0, 0).end == alone.hbm.access(read(1_MiB), 0_ps).done);
  CHECK(execution(dut, 0, 1).end ==
        alone.mac.compute(std::vector{gemm(256, 4)}, Precision::Fp8, 0_ps).done);
  CHECK(execution(dut, 0, 2).end ==
        alone.vector.compute({VectorOp::Elementwise, 100'000, 0, 0}, 0_ps).done);
  CHECK(execution(dut, 0, 3).end == alone.far.access(read(1_MiB), 0_ps).done);
}

TEST_CASE("Sequencer: staging bounds how far loads run ahead of their consumers") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  // Two halves of the staging buffer; each product takes far longer than its load.
  const Bytes half{kStaging.count() / 2};
  const std::int32_t count = 6;
  std::vector<std::int32_t> loads, macs;
  for (std::int32_t i = 0; i < count; ++i) {
    Instruction in = load(Tier::Hbm, half, i * half.count());
    in.staged = true;
    in.consumer = 2 * i + 1;
    loads.push_back(p.add(in));
    macs.push_back(p.add(streaming(mac(p, gemm(4096, 16)), loads.back())));
  }
  run_in_thread([&] { run_step(dut, step); });
  for (std::size_t i = 2; i < loads.size(); ++i) {
    CHECK(execution(dut, 0, loads[i]).start == execution(dut, 0, macs[i - 2]).end);
    CHECK(execution(dut, 0, loads[i]).start_cause == macs[i - 2]);
  }
  CHECK(execution(dut, 0, loads[1]).end < execution(dut, 0, macs[0]).end);
  CHECK(dut.counts().staged == count * half);
}

TEST_CASE("Sequencer: no load takes staging space before the consumer that frees it has ended") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  const auto staged = [&](Tier tier, Bytes bytes, std::int32_t consumer) {
    Instruction in = load(tier, bytes);
    in.staged = true;
    in.consumer = consumer;
    return p.add(in);
  };
  // The buffer is full until the pause (6) has ended. The third load needs its space and leaves
  // some over, which the fourth, from another memory, takes: not sooner.
  staged(Tier::Hbm, 32_KiB, 6);                              // 0
  staged(Tier::Hbm, 32_KiB, 4);                              // 1
  const std::int32_t third = staged(Tier::Hbm, 16_KiB, 4);   // 2
  const std::int32_t fourth = staged(Tier::Far, 16_KiB, 4);  // 3
  p.add(after(after(vector_op(1), third), fourth));          // 4
  p.add(vector_op(1));                                       // 5
  const std::int32_t freed = p.add(pause(100_us));           // 6
  run_in_thread([&] { run_step(dut, step); });
  CHECK(execution(dut, 0, third).start == execution(dut, 0, freed).end);
  CHECK(execution(dut, 0, fourth).start == execution(dut, 0, freed).end);
}

TEST_CASE("Sequencer: a load that needs all staging space waits for the latest consumer") {
  Deployment dut{"dut", platform(2)};
  StepPrograms step = empty_step(2);
  add_exchange(step, one_phase(2, {{1, 0, 64_B}}));
  step.dies[1].add(exchange(0, 1));
  Program& p = step.dies[0];
  const auto staged = [&](Bytes bytes, std::int32_t consumer) {
    Instruction in = load(Tier::Hbm, bytes);
    in.staged = true;
    in.consumer = consumer;
    return p.add(in);
  };
  // The end of the first consumer is known at once and late, that of the second becomes known only
  // with the exchange and is early.
  staged(32_KiB, 3);                                            // 0
  staged(32_KiB, 5);                                            // 1
  const std::int32_t all = staged(kStaging, 6);                 // 2
  const std::int32_t late = p.add(pause(100_us));               // 3
  const std::int32_t swap = p.add(exchange(0, 0));              // 4
  const std::int32_t early = p.add(after(vector_op(1), swap));  // 5
  p.add(after(vector_op(1), all));                              // 6
  run_in_thread([&] { run_step(dut, step); });
  CHECK(execution(dut, 0, early).end < execution(dut, 0, late).end);
  CHECK(execution(dut, 0, all).start == execution(dut, 0, late).end);
}

TEST_CASE("Sequencer: staging space is given in program order, so that no port starves another") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  std::int32_t last = kNoInstruction;
  for (std::int32_t layer = 0; layer < 8; ++layer) {
    // Each product needs both; the near port alone could fill the buffer with later layers.
    for (const Tier tier : {Tier::Hbm, Tier::Far}) {
      Instruction in = load(tier, tier == Tier::Hbm ? 16_KiB : 8_KiB);
      in.staged = true;
      in.consumer = 3 * layer + 2;
      last = p.add(in);
    }
    p.add(streaming(streaming(mac(p, gemm(1, 1)), last - 1), last));
  }
  run_in_thread([&] { dut.start(step); });
  CAPTURE(dut.pending());
  CHECK(dut.finished());
}

TEST_CASE(
    "Sequencer: a fill takes its place in the memory when it happens, not when it is foreseen") {
  Deployment with{"with", platform(1)};
  Deployment without{"without", platform(1)};
  // A long load from HBM is written on into SRAM; meanwhile weights are needed from there.
  const auto program = [](bool fills) {
    StepPrograms step = empty_step(1);
    Program& p = step.dies[0];
    const std::int32_t slow = p.add(load(Tier::Hbm, 1_MiB));
    Instruction fill = after(store(Tier::Sram, 1_MiB), slow);
    fill.category = TimeCategory::WeightsSram;
    if (fills) p.add(fill);
    p.add(after(load(Tier::Sram, 64_KiB), p.add(pause(100_ns))));
    return step;
  };
  const StepPrograms filled = program(true), plain = program(false);
  run_in_thread([&] {
    run_step(with, filled);
    run_step(without, plain);
  });
  const Picoseconds later = execution(with, 0, 0).end;
  CHECK(execution(with, 0, 1).start >= later);
  CHECK(execution(with, 0, 3).end < later);
  CHECK(execution(with, 0, 3).end - execution(with, 0, 2).end ==
        execution(without, 0, 2).end - execution(without, 0, 1).end);
}

TEST_CASE("Sequencer: waits run one after another and hold what depends on them") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  Program& p = step.dies[0];
  p.add(pause(3_us));
  const std::int32_t second = p.add(pause(4_us));
  const std::int32_t held = p.add(after(vector_op(1), second));
  run_in_thread([&] {
    sc_core::wait(to_sc_time(1_us));
    run_step(dut, step);
  });
  CHECK(execution(dut, 0, second).start == 1_us + 3_us);
  CHECK(execution(dut, 0, held).start == 1_us + 7_us);
}

TEST_CASE("Sequencer: prefetch proceeds while the die waits in an exchange") {
  Deployment dut{"dut", platform(2)};
  StepPrograms step = empty_step(2);
  add_exchange(step, one_phase(2, {{0, 1, 64_KiB}, {1, 0, 64_KiB}}));
  for (std::int32_t die : {0, 1}) {
    Program& p = step.dies[static_cast<std::size_t>(die)];
    // Die 1 comes late, so die 0 waits.
    const std::int32_t busy = p.add(pause(die == 1 ? 50_us : 0_us));
    const std::int32_t joined = p.add(after(exchange(0, die), busy));
    Instruction weights = load(Tier::Hbm, 32_KiB);
    weights.staged = true;
    weights.consumer = 3;
    p.add(weights);
    p.add(after(streaming(mac(p, gemm(1, 1)), 2), joined));
  }
  run_in_thread([&] { run_step(dut, step); });
  const Execution &swap = execution(dut, 0, 1), &weights = execution(dut, 0, 2);
  CHECK(weights.start == 0_ps);
  CHECK(weights.end < 50_us);
  CHECK(swap.end > 50_us);
  CHECK(execution(dut, 0, 3).start == swap.end);
}

TEST_CASE("Sequencer: two dies that exchange end with the data of the one that joined later") {
  Deployment dut{"dut", platform(2)};
  StepPrograms step = empty_step(2);
  add_exchange(step, one_phase(2, {{0, 1, 64_KiB}, {1, 0, 64_KiB}}));
  for (std::int32_t die : {0, 1}) {
    Program& p = step.dies[static_cast<std::size_t>(die)];
    const std::int32_t work = p.add(vector_op((1 + die) * 100'000));
    p.add(after(exchange(0, die), work));
  }
  run_in_thread([&] { run_step(dut, step); });
  const FabricParams fabric = platform(2).fabric;
  const Picoseconds joined = execution(dut, 1, 0).end;
  const Picoseconds expected =
      joined + fabric.exchange_overhead + transfer_time(64_KiB, kLink.rate) + kLink.latency;
  CHECK(joined > execution(dut, 0, 0).end);
  CHECK(execution(dut, 0, 1).end == expected);
  // The later one has long been sent its data: it is done when its own have left.
  CHECK(execution(dut, 1, 1).end == expected - kLink.latency);
  for (const std::uint32_t die : {0U, 1U}) {
    const Sequencer& sequencer = dut.die(DieId{die}).sequencer;
    CHECK(sequencer.exchange_timing(execution(dut, die, 1).end_cause).bound_by_slot == 1);
  }
  CHECK(dut.end() == expected);
}

TEST_CASE("Sequencer: a second step starts where simulated time stands") {
  Deployment dut{"dut", platform(1)};
  StepPrograms step = empty_step(1);
  step.dies[0].add(vector_op(1000));
  Picoseconds first{};
  run_in_thread([&] {
    run_step(dut, step);
    first = dut.end();
    wait_until(1_ms);
    run_step(dut, step);
  });
  CHECK(dut.end() == 1_ms + first);
  CHECK(dut.counts().vector_ops == 2000);
}

}  // namespace
}  // namespace reticle
