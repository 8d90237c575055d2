// SPDX-License-Identifier: Apache-2.0
// What kernels of GPUs add to the units of a die: shares of the peak, the crossbar, steps of a
// library's collectives.
#include "models/die/kernel_spec.hpp"

#include <doctest/doctest.h>

#include "models/mac/gemm_cycles.hpp"
#include "tests/models/die_bench.hpp"
#include "tests/models/quantity_text.hpp"

namespace reticle {
namespace {

TEST_CASE("MacArray: a sustained share stretches the passes of its use and format alone") {
  MacParams params = mac_array();
  const GemmShape dense{64, 2 * params.rows, 2 * params.cols, 3};
  GemmShape grouped = dense;
  grouped.use = MacUse::Grouped;
  const Tiling peak = tiling_of(params, dense, Precision::Fp8);
  params.sustained_permille[static_cast<std::size_t>(MacUse::Grouped)]
                           [static_cast<std::size_t>(Precision::Fp8)] = 800;
  CHECK(tiling_of(params, dense, Precision::Fp8).pass == peak.pass);
  CHECK(tiling_of(params, grouped, Precision::Fp8).pass == div_up(peak.pass * 1000, 800));
  CHECK(tiling_of(params, grouped, Precision::Fp8).tiles == peak.tiles);
}

TEST_CASE("Kernels: inputs cross as often as there are columns of tiles, results once") {
  KernelParams kernels;
  kernels.operand_passes = 350;
  const std::int64_t inputs = 64 * 512, wide = 4096, narrow = 256;
  const auto bytes = [&](std::int64_t n) {
    return operands_crossing(kernels, {64, 512, n}, Precision::Fp8, Precision::Bf16).count();
  };
  CHECK(bytes(wide) == inputs * 350 / 100 + 2 * 64 * wide);
  CHECK(bytes(narrow) == inputs + 2 * 64 * narrow);
}

TEST_CASE("Sequencer: loads of SRAM and HBM share the crossbar to the cores") {
  PlatformSpec gpu = platform(1);
  gpu.die.kernels = KernelParams{};
  gpu.die.kernels->crossbar_permille = 10;
  const Bytes each = 256_KiB;
  Deployment deployment{"deployment", gpu};
  StepPrograms step = empty_step(1);
  const std::int32_t one = step.dies[0].add(load(Tier::Hbm, each));
  const std::int32_t other = step.dies[0].add(load(Tier::Sram, each));
  run_in_thread([&] { run_step(deployment, step); });
  const Picoseconds crossing_time = transfer_time(each, crossbar_rate(gpu.die));
  const Picoseconds first =
      min(execution(deployment, 0, one).end, execution(deployment, 0, other).end);
  const Picoseconds last =
      max(execution(deployment, 0, one).end, execution(deployment, 0, other).end);
  CHECK(first >= crossing_time);
  CHECK(last - first >= crossing_time);
  CHECK(last < 2 * crossing_time + 1_us);  // the latency of the memory that comes first
}

TEST_CASE("Fabric: an exchange begins after its start, and each later phase after its step") {
  constexpr std::int32_t kDies = 4;
  const auto ring = [](Picoseconds start, Picoseconds step) {
    Exchange exchange{everyone(kDies), {}};
    for (int phase = 0; phase < 3; ++phase) {
      auto& messages = exchange.phases.emplace_back();
      for (std::int32_t s = 0; s < kDies; ++s) messages.push_back({s, (s + 1) % kDies, 64_KiB});
    }
    exchange.start = start;
    exchange.step = step;
    return exchange;
  };
  FabricBench bench{"bench", fabric_of(TopologyKind::Ring, kDies)};
  run_in_thread([&] {
    bench.load({ring({}, {}), ring(3_us, 2_us)});
    bench.join_all(0);
    wait_until(1_ms);
    bench.join_all(1);
  });
  CHECK(bench.end(1) - 1_ms == bench.end(0) + 3_us + 2 * 2_us);
  CHECK(bench.timing(1, 0).latency == bench.timing(0, 0).latency + 3_us + 2 * 2_us);
}

}  // namespace
}  // namespace reticle
