// SPDX-License-Identifier: Apache-2.0
// How long the fabric takes to work out an all-to-all. One elaboration per process: all fabrics
// are built first, and the kernel runs as the benchmarks ask.
//
//   reticle-bench-fabric                         all
//   reticle-bench-fabric --benchmark_filter=576  the 576-die rack
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/fabric/cycle_fabric.hpp"
#include "models/fabric/fabric.hpp"
#include "models/kernel/time.hpp"
#include "sim/base/rng.hpp"
#include "sim/mapping/collectives.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

constexpr std::int64_t kBytes = 4096;

/// Takes the fabric's answers.
struct Sink final : sc_core::sc_module, ExchangeListenerIf {
  Sink(const sc_core::sc_module_name& name, std::int64_t& told) : sc_module{name}, told_{told} {}
  void exchange_done(std::int32_t, const ExchangeTiming&) override { ++told_; }

 private:
  std::int64_t& told_;
};

FabricParams params_of(TopologyKind kind, std::int64_t dies) {
  if (kind == TopologyKind::Switch) return fabric_of(kind, dies);
  std::int64_t height = 1;
  while (height * height < dies) height *= 2;
  return fabric_of(kind, dies / height, height);
}

template <class F>
struct Rig {
  template <class... More>
  Rig(const std::string& name, const FabricParams& params, const More&... more)
      : fabric{(name + "_fabric").c_str(), params, more...} {
    for (std::int64_t i = 0; i < fabric.topology().dies(); ++i) {
      sinks.push_back(std::make_unique<Sink>((name + "_sink" + std::to_string(i)).c_str(), told));
      fabric.dies.bind(*sinks.back());
    }
  }
  /// Joins everyone and lets the kernel run until all are told and the links are idle.
  void run(const std::shared_ptr<const Exchange>& exchange) {
    const std::int64_t all = told + std::int64_t(exchange->participants.size());
    fabric.load({&exchange, 1});
    for (std::size_t s = 0; s < exchange->participants.size(); ++s)
      fabric.join(0, static_cast<std::int32_t>(s));
    while (told < all) sc_core::sc_start(to_sc_time(1_ms));
    sc_core::sc_start(to_sc_time(100_ms));
  }
  F fabric;
  std::int64_t told = 0;
  std::vector<std::unique_ptr<Sink>> sinks;
};
using Transaction = Rig<Fabric>;

std::map<std::int64_t, std::unique_ptr<Transaction>> switches, meshes;
std::unique_ptr<Rig<CycleFabric>> flits;

std::shared_ptr<const Exchange> everyone_to_everyone(std::int64_t n, bool even) {
  RngStream rng{5, "bench"};
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < n * n; ++i)
    sizes.push_back(even ? kBytes : 1 + static_cast<std::int64_t>(rng.below(2 * kBytes)));
  return std::make_shared<const Exchange>(all_to_all(everyone(n), sizes));
}

/// Cold: an exchange never seen, so that it is routed too.
void all_to_all_cold(benchmark::State& state,
                     std::map<std::int64_t, std::unique_ptr<Transaction>>& rigs, bool even) {
  for (auto _ : state) {
    state.PauseTiming();
    const auto exchange = everyone_to_everyone(state.range(0), even);
    state.ResumeTiming();
    rigs[state.range(0)]->run(exchange);
  }
}
void all_to_all_warm(benchmark::State& state) {
  const auto exchange = everyone_to_everyone(state.range(0), true);
  switches[state.range(0)]->run(exchange);
  for (auto _ : state) switches[state.range(0)]->run(exchange);
}
void all_to_all_flits(benchmark::State& state) {
  const auto exchange = everyone_to_everyone(64, true);
  for (auto _ : state) flits->run(exchange);
  state.counters["flit_hops"] = benchmark::Counter(
      static_cast<double>(flits->fabric.flit_stats().hops), benchmark::Counter::kIsRate);
}
void topology(benchmark::State& state) {
  const FabricParams params = params_of(TopologyKind::Torus2d, state.range(0));
  for (auto _ : state) {
    const Topology built{params};
    benchmark::DoNotOptimize(built.diameter());
  }
}

void register_all() {
  const auto unit = benchmark::kMillisecond;
  for (const std::int64_t n : {64, 256, 576, 1024})
    benchmark::RegisterBenchmark("all_to_all_cold",
                                 [](auto& s) { all_to_all_cold(s, switches, true); })
        ->Arg(n)
        ->Unit(unit);
  for (const std::int64_t n : {64, 256, 576})
    benchmark::RegisterBenchmark("all_to_all_uneven_cold",
                                 [](auto& s) { all_to_all_cold(s, switches, false); })
        ->Arg(n)
        ->Unit(unit);
  for (const std::int64_t n : {64, 256, 1024})
    benchmark::RegisterBenchmark("all_to_all_cold_mesh",
                                 [](auto& s) { all_to_all_cold(s, meshes, true); })
        ->Arg(n)
        ->Unit(unit);
  for (const std::int64_t n : {64, 576, 1024})
    benchmark::RegisterBenchmark("all_to_all_warm", all_to_all_warm)->Arg(n)->Unit(unit);
  benchmark::RegisterBenchmark("all_to_all_flits/64", all_to_all_flits)->Unit(unit);
  for (const std::int64_t n : {64, 256, 1024})
    benchmark::RegisterBenchmark("topology", topology)->Arg(n)->Unit(unit);
}
}  // namespace
}  // namespace reticle

int sc_main(int argc, char** argv) {
  using namespace reticle;
  for (const std::int64_t n : {64, 256, 576, 1024})
    switches[n] = std::make_unique<Transaction>("switch" + std::to_string(n),
                                                params_of(TopologyKind::Switch, n));
  for (const std::int64_t n : {64, 256, 1024})
    meshes[n] = std::make_unique<Transaction>("mesh" + std::to_string(n),
                                              params_of(TopologyKind::Mesh2d, n));
  flits = std::make_unique<Rig<CycleFabric>>("flits", params_of(TopologyKind::Switch, 64),
                                             FlitFabricParams{});
  benchmark::Initialize(&argc, argv);
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
