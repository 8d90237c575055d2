// SPDX-License-Identifier: Apache-2.0
// Speed of the two HBM forms on the reference patterns. One item is a burst of 32 B.
#include <benchmark/benchmark.h>

#include "models/hbm/hbm_contended_model.hpp"
#include "models/hbm/hbm_run_model.hpp"
#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_run_traffic.hpp"
#include "tests/reference/hbm_traffic.hpp"

namespace reticle {
namespace {

HbmParams preset(std::int64_t standard) {
  return standard == 2 ? hbm2_preset() : standard == 3 ? hbm3_preset() : hbm4_preset();
}

/// 64 B requests, closed loop; range 0: standard, 1: depth.
void run_commands(benchmark::State& state, HbmTraffic::Order order) {
  HbmTraffic traffic;
  traffic.order = order;
  traffic.depth = state.range(1);
  traffic.measured = 100'000;
  for (auto _ : state) {
    HbmTrafficRun run{preset(state.range(0)), traffic};
    benchmark::DoNotOptimize(run.run());
  }
  const std::int64_t bursts = 2 * (traffic.warm_up + traffic.measured);
  state.SetItemsProcessed(state.iterations() * bursts);
  state.SetBytesProcessed(state.iterations() * bursts * 32);
}
void cycle_sequential(benchmark::State& state) {
  run_commands(state, HbmTraffic::Order::Sequential);
}
void cycle_random(benchmark::State& state) { run_commands(state, HbmTraffic::Order::Random); }

/// Weight tiles one after the other; range 0: standard, 1: bytes of a tile.
template <class Model>
void stream(benchmark::State& state) {
  HbmParams params = preset(state.range(0));
  params.refresh = RefreshMode::AllBank;
  params.commands_below = Bytes{256 * 1024};
  Model dut{params};
  Bytes at{};
  Picoseconds done{};
  const Bytes tile{state.range(1)};
  for (auto _ : state) {
    done = dut.access({Access::Read, at, tile, Bytes{}}, Picoseconds{}).done;
    at += tile;
  }
  benchmark::DoNotOptimize(done);
  state.SetItemsProcessed(state.iterations() * (tile.count() / 32));
  state.SetBytesProcessed(state.iterations() * tile.count());
}

void transaction_stream(benchmark::State& state) { stream<HbmRunModel>(state); }
void contended_stream(benchmark::State& state) { stream<HbmContendedModel>(state); }

/// Pages of two requesters at random, one in four written, short runs by command; range 0: bytes of
/// a page.
void contended_pages(benchmark::State& state) {
  HbmParams params = preset(3);
  params.refresh = RefreshMode::AllBank;
  params.commands_below = Bytes{256 * 1024};
  HbmTraffic traffic{.order = HbmTraffic::Order::Random, .chunk = state.range(0), .depth = 8};
  traffic.read_fraction = 0.75;
  traffic.posted_writes = true;
  traffic.requesters = 2;
  traffic.warm_up = 200;
  traffic.measured = 3'000'000 / traffic.chunk;
  for (auto _ : state)
    benchmark::DoNotOptimize(run_on_transactions<HbmContendedModel>(params, traffic));
  const std::int64_t bytes = (traffic.warm_up + traffic.measured) * traffic.chunk;
  state.SetItemsProcessed(state.iterations() * (bytes / 32));
  state.SetBytesProcessed(state.iterations() * bytes);
}

BENCHMARK(cycle_sequential)
    ->Args({2, 64})
    ->Args({2, 1})
    ->Args({3, 64})
    ->Args({3, 1})
    ->Args({4, 64});
BENCHMARK(cycle_random)->Args({2, 64})->Args({2, 1})->Args({3, 64})->Args({3, 1})->Args({4, 64});
BENCHMARK(transaction_stream)
    ->Args({2, 64})
    ->Args({3, 64})
    ->Args({3, 4096})
    ->Args({3, 1 << 20})
    ->Args({2, 1 << 20});
BENCHMARK(contended_stream)->Args({3, 1 << 20});
BENCHMARK(contended_pages)->Arg(2048)->Arg(16'384)->Arg(131'072);

}  // namespace
}  // namespace reticle

BENCHMARK_MAIN();
