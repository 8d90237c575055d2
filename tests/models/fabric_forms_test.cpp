// SPDX-License-Identifier: Apache-2.0
// The two forms of the fabric beside each other, and beside the closed forms of collectives.
// Messages are written down here as the collectives define them, so that models are tested alone.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/fabric/cycle_fabric.hpp"
#include "models/fabric/fabric.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/collective_messages.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

using CycleBench = AnyFabricBench<CycleFabric>;

constexpr double kAgreement = 0.05;
constexpr Picoseconds kApart = 100_ms;  ///< between exchanges: each finds an idle fabric
const FlitFabricParams kFlits{};

FabricParams two_levels(TopologyKind inner, std::int64_t dies, std::int64_t children,
                        std::int64_t ports) {
  FabricParams params = fabric_of(inner, dies);
  params.levels.push_back(fabric_level(TopologyKind::Switch, children));
  params.levels[1].ports = ports;
  params.levels[1].link.rate = 50_GBps;
  return params;
}

struct Case {
  std::string name;
  FabricParams params;
  std::int64_t package;  ///< dies per package, for hierarchical collectives; 0: one level
};
std::vector<Case> fabrics() {
  return {{"switch 8", fabric_of(TopologyKind::Switch, 8), 0},
          {"fully connected 8", fabric_of(TopologyKind::FullyConnected, 8), 0},
          {"ring 8", fabric_of(TopologyKind::Ring, 8), 0},
          {"mesh 4 x 4", fabric_of(TopologyKind::Mesh2d, 4, 4), 0},
          {"torus 4 x 4", fabric_of(TopologyKind::Torus2d, 4, 4), 0},
          {"3 packages of 4, a port per die", two_levels(TopologyKind::FullyConnected, 4, 3, 4), 4},
          {"3 packages of 4, one gateway", two_levels(TopologyKind::FullyConnected, 4, 3, 1), 4}};
}

struct Named {
  std::string name;
  Exchange exchange;
};

/// All collectives of `bytes` among all dies; uneven ones drawn from `rng`.
std::vector<Named> collectives(const Case& c, std::int64_t dies, std::int64_t bytes,
                               RngStream& rng) {
  const bool one_switch = c.params.levels[0].kind == TopologyKind::Switch;
  std::vector<Named> list{
      {"one-shot all-reduce", messages::one_shot(dies, bytes / 8)},
      {"direct all-reduce", messages::direct(dies, bytes)},
      {"ring all-reduce", messages::ring(dies, bytes)},
      {"tree all-reduce", messages::tree(dies, bytes)},
      {"all-gather", messages::all_to_all(dies, [&](auto, auto) { return bytes / dies; })},
      {"broadcast", messages::broadcast(dies, bytes)}};
  if (c.package > 0)
    list.push_back({"hierarchical all-reduce", messages::hierarchical(dies, c.package, bytes)});
  if (one_switch) list.push_back({"in-switch all-reduce", messages::in_switch(dies, bytes)});
  for (int i = 0; i < 2; ++i)
    list.push_back({"uneven all-to-all", messages::all_to_all(dies, [&](auto, auto) {
                      return static_cast<std::int64_t>(
                          rng.below(static_cast<std::uint64_t>(2 * bytes / dies)));
                    })});
  return list;
}

double nanoseconds(Picoseconds t) { return seconds(t) * 1e9; }

TEST_CASE("Fabric: both forms take the same time for collectives on every topology") {
  std::vector<Case> cases = fabrics();
  std::vector<std::unique_ptr<FabricBench>> transaction;
  std::vector<std::unique_ptr<CycleBench>> cycle;
  std::vector<std::vector<Named>> lists(cases.size());
  RngStream rng{11, "forms"};
  for (std::size_t c = 0; c < cases.size(); ++c) {
    transaction.push_back(std::make_unique<FabricBench>("t" + std::to_string(c), cases[c].params));
    cycle.push_back(std::make_unique<CycleBench>("c" + std::to_string(c), cases[c].params, kFlits));
    const std::int64_t dies = transaction[c]->fabric.topology().dies();
    for (const std::int64_t bytes : {std::int64_t{16'384}, std::int64_t{262'144},
                                     static_cast<std::int64_t>(65'536 + rng.below(1 << 20))})
      for (Named& named : collectives(cases[c], dies, bytes, rng))
        lists[c].push_back({named.name + " of " + std::to_string(bytes), named.exchange});
  }
  std::vector<std::vector<Picoseconds>> begun(cases.size());
  run_in_thread([&] {
    for (std::size_t c = 0; c < cases.size(); ++c) {
      std::vector<Exchange> exchanges;
      for (const Named& named : lists[c]) exchanges.push_back(named.exchange);
      transaction[c]->load(exchanges);
      cycle[c]->load(exchanges);
      for (std::size_t i = 0; i < exchanges.size(); ++i) {
        sc_core::wait(to_sc_time(kApart));
        begun[c].push_back(now());
        transaction[c]->join_all(static_cast<std::int32_t>(i));
        cycle[c]->join_all(static_cast<std::int32_t>(i));
      }
    }
  });
  double worst = 0, sum = 0;
  std::size_t count = 0;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    for (std::size_t i = 0; i < lists[c].size(); ++i) {
      const auto id = static_cast<std::int32_t>(i);
      const double ours = nanoseconds(transaction[c]->end(id) - begun[c][i]);
      const double flits = nanoseconds(cycle[c]->end(id) - begun[c][i]);
      const double error = ours / flits - 1;
      worst = std::max(worst, std::abs(error));
      sum += std::abs(error);
      ++count;
      std::printf("%-32s %-36s %10.1f ns transaction %10.1f ns cycle %+5.1f %%\n",
                  cases[c].name.c_str(), lists[c][i].name.c_str(), ours, flits, 100 * error);
      CAPTURE(cases[c].name);
      CAPTURE(lists[c][i].name);
      CHECK(std::abs(error) <= kAgreement);
    }
    CHECK(transaction[c]->fabric.sent() == cycle[c]->fabric.sent());
    CHECK(transaction[c]->fabric.received() == cycle[c]->fabric.received());
    for (std::size_t l = 0; l < cases[c].params.levels.size(); ++l) {
      CHECK(transaction[c]->fabric.stats()[l].bytes == cycle[c]->fabric.stats()[l].bytes);
      CHECK(transaction[c]->fabric.stats()[l].messages == cycle[c]->fabric.stats()[l].messages);
    }
    CHECK(cycle[c]->fabric.flit_stats().flits_sent == cycle[c]->fabric.flit_stats().flits_received);
    CHECK(cycle[c]->fabric.pending().empty());
  }
  std::printf("%zu collectives: mean error %.2f %%, worst %.2f %%\n", count,
              100 * sum / static_cast<double>(count), 100 * worst);
}

/// alpha: latency of a hop's way; beta: time of a byte. [Thakur, Rabenseifner and Gropp, IJHPCA
/// 2005, section 4; gamma, the adding, is the die's and not the fabric's]
TEST_CASE("Fabric: all-reduces take their alpha-beta closed forms on an idle fabric") {
  const std::int64_t n = 8, bytes = 1 << 20;
  const FabricParams switched = fabric_of(TopologyKind::Switch, n);
  FabricBench bench{"bench", switched};
  CycleBench cycle{"cycle", switched, kFlits};
  const std::vector<Exchange> all{messages::one_shot(n, bytes), messages::ring(n, bytes),
                                  messages::tree(n, bytes), messages::in_switch(n, bytes)};
  run_in_thread([&] {
    bench.load(all);
    cycle.load(all);
    for (std::int32_t i = 0; i < 4; ++i) {
      wait_until((1 + i) * kApart);
      bench.join_all(i);
      cycle.join_all(i);
    }
  });
  const Picoseconds overhead = switched.exchange_overhead;
  const Picoseconds alpha = 2 * kLink.latency + kRouter;
  const auto beta = [](std::int64_t size) { return transfer_time(Bytes{size}, kLink.rate); };
  const std::int64_t steps = 3;  // log2(8)
  const std::vector<Picoseconds> forms{
      overhead + alpha + beta((n - 1) * bytes), overhead + 2 * (n - 1) * (alpha + beta(bytes / n)),
      overhead + 2 * steps * (alpha + beta(bytes)), overhead + alpha + beta(bytes)};
  for (std::int32_t i = 0; i < 4; ++i) {
    const Picoseconds form = forms[static_cast<std::size_t>(i)];
    CHECK(bench.end(i) - (1 + i) * kApart == form);
    CHECK(nanoseconds(cycle.end(i) - (1 + i) * kApart) ==
          doctest::Approx(nanoseconds(form)).epsilon(0.01));
  }
}

TEST_CASE("CycleFabric: a lone message takes overhead, serialisation and the latency of its way") {
  FabricParams params = fabric_of(TopologyKind::Mesh2d, 5);
  CycleBench bench{"bench", params, kFlits};
  run_in_thread([&] {
    bench.load({one_phase(5, {{0, 4, 64_KiB}})});
    bench.join_all(0);
  });
  const Picoseconds form = params.exchange_overhead + transfer_time(64_KiB, kLink.rate) +
                           4 * kLink.latency + 3 * kRouter;
  const Picoseconds flit = transfer_time(kFlits.flit, kLink.rate);
  const ExchangeTiming& timing = bench.timing(0, 4);
  // Each router and wire is a whole number of cycles.
  CHECK(std::abs(nanoseconds(timing.done) - nanoseconds(form)) <= 8 * nanoseconds(flit));
  CHECK(timing.latency == params.exchange_overhead + 4 * kLink.latency + 3 * kRouter);
  CHECK(bench.timing(0, 0).done >= params.exchange_overhead + transfer_time(64_KiB, kLink.rate));
}

TEST_CASE("CycleFabric: a participant sends when it has joined, whoever is still to come") {
  CycleBench bench{"bench", fabric_of(TopologyKind::FullyConnected, 3), kFlits};
  run_in_thread([&] {
    bench.load({one_phase(3, {{0, 1, 64_KiB}, {2, 1, 64_KiB}})});
    bench.fabric.join(0, 0);
    bench.fabric.join(0, 1);
    wait_until(100_us);
    CHECK(bench.told(0, 0));
    CHECK_FALSE(bench.told(0, 1));
    CHECK(bench.fabric.pending() == "fabric: exchange 0 waits for 1 of 3 participants\n");
    bench.fabric.join(0, 2);
  });
  CHECK(bench.timing(0, 1).bound_by_slot == 2);
  CHECK(bench.timing(0, 1).bound_joined == 100_us);
}

TEST_CASE("Fabric: an exchange that begins alike is not worked out anew, and ends alike") {
  const std::int32_t n = 6;
  FabricBench bench{"bench", fabric_of(TopologyKind::Mesh2d, 3, 2)};
  const auto shared = std::make_shared<const Exchange>(
      messages::all_to_all(n, [](auto s, auto t) { return 1000 * (1 + s) * (1 + 2 * t); }));
  std::vector<std::shared_ptr<const Exchange>> twice{shared, shared};
  const auto join = [&](std::int32_t id) {
    for (std::int32_t slot = 0; slot < n; ++slot) {
      bench.fabric.join(id, slot);
      sc_core::wait(to_sc_time(3_ns));
    }
  };
  run_in_thread([&] {
    bench.fabric.load(twice);
    join(0);
    wait_until(kApart);
    join(1);
  });
  for (std::size_t die = 0; die < n; ++die) {
    CHECK(bench.timing(1, die).done - kApart == bench.timing(0, die).done);
    CHECK(bench.timing(1, die).latency == bench.timing(0, die).latency);
    CHECK(bench.timing(1, die).bound_by_slot == bench.timing(0, die).bound_by_slot);
  }
}

}  // namespace
}  // namespace reticle
