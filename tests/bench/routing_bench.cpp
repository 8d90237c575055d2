// SPDX-License-Identifier: Apache-2.0
// Experts of one decode step: 64 tokens x 96 layers x top-5.
#include <benchmark/benchmark.h>

#include <vector>

#include "workloads/moe/routed_batch.hpp"

namespace {

using namespace reticle;

void step(benchmark::State& state, RoutingPresetName preset, std::int64_t experts) {
  LlmSpec llm;
  llm.hidden = 1;
  llm.layers = dense_then_moe(0, 96);
  llm.moe = MoeSpec{.experts = experts, .top_k = 5, .expert_ffn = 1};
  llm.moe->routing = routing_of(preset);
  const ExpertRouter router{llm, 1};
  std::vector<std::int32_t> loads(static_cast<std::size_t>(experts));
  std::int64_t position = 1000;
  for (auto _ : state) {
    RoutedBatch batch{router};
    for (std::uint64_t request = 0; request < 64; ++request)
      batch.add(RequestId{request}, position, 1);
    for (std::int64_t layer = 0; layer < 96; ++layer) batch.add_loads(layer, loads);
    ++position;
    benchmark::DoNotOptimize(loads.data());
  }
  state.counters["picks/s"] =
      benchmark::Counter(64.0 * 96 * 5, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(step, uniform_64, RoutingPresetName::Uniform, 64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(step, typical_64, RoutingPresetName::Typical, 64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(step, typical_256, RoutingPresetName::Typical, 256)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
