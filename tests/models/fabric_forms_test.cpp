// SPDX-License-Identifier: Apache-2.0
// The two forms of the fabric beside each other, and beside the closed forms of collectives.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/fabric/cycle_fabric.hpp"
#include "models/fabric/fabric.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/fabric_agreement.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

constexpr Picoseconds kApart = 100_ms;  ///< between exchanges: each finds an idle fabric
const FlitFabricParams kFlits{};

double nanoseconds(Picoseconds t) { return seconds(t) * 1e9; }

/// Many more draws: tests/reference/fabric_agreement_test.cpp.
TEST_CASE("Fabric: both forms take the same time for collectives on every topology") {
  check_agreement(compare_forms(11, 1, 4 << 20));
}

/// alpha: latency of a hop's way; beta: time of a byte. [Thakur, Rabenseifner and Gropp, IJHPCA
/// 2005, section 4; gamma, the adding, is the die's and not the fabric's]
TEST_CASE("Fabric: all-reduces take their alpha-beta closed forms on an idle fabric") {
  const std::int64_t n = 8, bytes = 1 << 20;
  const FabricParams switched = fabric_of(TopologyKind::Switch, n);
  FabricBench bench{"bench", switched};
  CycleBench cycle{"cycle", switched, kFlits};
  std::vector<Exchange> all;
  for (const AllReduceKind kind :
       {AllReduceKind::OneShot, AllReduceKind::Ring, AllReduceKind::Tree, AllReduceKind::InSwitch})
    all.push_back(all_reduce({0, n, 1}, Bytes{bytes}, kind, 1));
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

/// The limit that docs/limits.md states: transactions do not share a link between exchanges.
TEST_CASE("Fabric: of two exchanges on a link the first has it to itself, where flits share it") {
  const FabricParams params = fabric_of(TopologyKind::Mesh2d, 3);
  FabricBench bench{"bench", params};
  CycleBench cycle{"cycle", params, kFlits};
  const Bytes large = 4_MiB, small = 64_KiB;
  const std::vector<Exchange> both{one_phase(3, {{0, 2, large}}), one_phase(3, {{1, 2, small}})};
  run_in_thread([&] {
    bench.load(both);
    cycle.load(both);
    for (std::int32_t i = 0; i < 2; ++i) {
      wait_until(kApart + i * 1_us);
      bench.join_all(i);
      cycle.join_all(i);
    }
  });
  const Picoseconds begun = kApart + 1_us;
  const Picoseconds alone =
      params.exchange_overhead + transfer_time(small, kLink.rate) + kLink.latency;
  const double ours = nanoseconds(bench.end(1) - begun), flits = nanoseconds(cycle.end(1) - begun);
  std::printf("64 KiB behind 4 MiB: alone %.0f ns, transaction %.0f ns, cycle %.0f ns\n",
              nanoseconds(alone), ours, flits);
  CHECK(bench.end(1) == bench.end(0) + transfer_time(small, kLink.rate));
  CHECK(flits > nanoseconds(alone) + nanoseconds(transfer_time(small, kLink.rate)) / 2);
  CHECK(flits < nanoseconds(alone) + 3 * nanoseconds(transfer_time(small, kLink.rate)));
  // What the link has sent in all is the same.
  CHECK(nanoseconds(std::max(bench.end(0), bench.end(1)) - kApart) ==
        doctest::Approx(nanoseconds(std::max(cycle.end(0), cycle.end(1)) - kApart)).epsilon(0.02));
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
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < n * n; ++i) sizes.push_back(1000 * (1 + i / n) * (1 + 2 * (i % n)));
  const auto shared = std::make_shared<const Exchange>(all_to_all(everyone(n), sizes));
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
