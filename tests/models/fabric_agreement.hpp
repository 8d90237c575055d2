// SPDX-License-Identifier: Apache-2.0
// Draws collectives of any size on many topologies and runs each in both forms of the fabric.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/fabric/cycle_fabric.hpp"
#include "models/fabric/fabric.hpp"
#include "sim/base/rng.hpp"
#include "sim/mapping/collectives.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {

using CycleBench = AnyFabricBench<CycleFabric>;

/// A fabric to compare on.
struct AgreementCase {
  std::string name;
  FabricParams params;
  std::int64_t package = 0;  ///< dies per package, for hierarchical collectives; 0: one level
};

inline FabricParams two_levels(TopologyKind inner, std::int64_t dies, std::int64_t children,
                               std::int64_t ports) {
  FabricParams params = fabric_of(inner, dies);
  params.levels.push_back(fabric_level(TopologyKind::Switch, children));
  params.levels[1].ports = ports;
  params.levels[1].link.rate = 50_GBps;
  return params;
}

/// Links as in configs/platforms/ref-asic.yaml, with fewer packages.
inline FabricParams chiplets(std::int64_t packages) {
  FabricParams params = two_levels(TopologyKind::FullyConnected, 4, packages, 4);
  params.exchange_overhead = 20_ns;
  params.levels[0].link = {.rate = 1000_GBps, .latency = 5_ns, .buffer = 64_KiB};
  params.levels[0].router_latency = Picoseconds{1'500};
  params.levels[1].link = {.rate = 450_GBps, .latency = 100_ns, .buffer = 1_MiB};
  params.levels[1].router_latency = 150_ns;
  return params;
}

inline std::vector<AgreementCase> agreement_cases() {
  return {{"switch 8", fabric_of(TopologyKind::Switch, 8)},
          {"fully connected 8", fabric_of(TopologyKind::FullyConnected, 8)},
          {"ring 8", fabric_of(TopologyKind::Ring, 8)},
          {"mesh 4 x 4", fabric_of(TopologyKind::Mesh2d, 4, 4)},
          {"torus 4 x 4", fabric_of(TopologyKind::Torus2d, 4, 4)},
          {"3 packages of 4, a port per die", two_levels(TopologyKind::FullyConnected, 4, 3, 4), 4},
          {"3 packages of 4, one gateway", two_levels(TopologyKind::FullyConnected, 4, 3, 1), 4},
          {"4 chiplet packages of 4", chiplets(4), 4}};
}

struct AgreementRow {
  std::string fabric, collective;
  std::int64_t bytes = 0;
  bool late = false;  ///< participants joined at different times
  Exchange exchange;
  std::vector<Picoseconds> joins;     ///< per slot, after the first
  double transaction = 0, cycle = 0;  ///< nanoseconds from the last joining to the last end
  [[nodiscard]] double error() const { return transaction / cycle - 1; }
  /// A corner outside the bound, only reported: one-shot all-reduces of more than a quarter of a
  /// receive buffer where ways fork (docs/models/fabric.md, "Accuracy").
  bool corner = false;
};

/// Without the corners that are only reported, both forms take the same time to this.
constexpr double kAgreement = 0.05;

/// One of every collective among all dies, each of a size of its own, 64 B to 4 MiB.
inline std::vector<AgreementRow> draw_collectives(const AgreementCase& c, std::int64_t dies,
                                                  std::int64_t most, RngStream& rng) {
  const DieGroup all{0, dies, 1};
  std::vector<AgreementRow> rows;
  const auto size = [&] {
    return static_cast<std::int64_t>(64 * std::exp2(rng.uniform() * std::log2(double(most) / 64)));
  };
  const auto add = [&](const std::string& name, std::int64_t bytes, Exchange exchange) {
    std::vector<Picoseconds> joins(static_cast<std::size_t>(dies));
    rows.push_back({c.name, name, bytes, false, std::move(exchange), std::move(joins)});
    const FabricLevel& top = c.params.levels.back();
    const bool forks = c.package > 0 || top.height > 1;
    rows.back().corner =
        forks && name.starts_with("one-shot") && 4 * bytes > top.link.buffer.count();
  };
  std::vector<AllReduceKind> kinds{AllReduceKind::OneShot, AllReduceKind::Direct,
                                   AllReduceKind::Ring, AllReduceKind::Tree};
  if (c.package > 0) kinds.push_back(AllReduceKind::Hierarchical);
  if (c.params.levels[0].kind == TopologyKind::Switch) kinds.push_back(AllReduceKind::InSwitch);
  for (const AllReduceKind kind : kinds) {
    const std::int64_t bytes = size();
    add(std::string{name_of(kind)} + " all-reduce", bytes,
        all_reduce(all, Bytes{bytes}, kind, c.package));
  }
  std::int64_t bytes = size();
  add("all-gather", bytes, all_gather(all, Bytes{bytes}));
  bytes = size();
  add("broadcast", bytes, broadcast(all, Bytes{bytes}, BroadcastKind::Tree));
  for (const bool late : {false, true}) {
    bytes = size();
    std::vector<std::int64_t> sizes;
    for (std::int64_t i = 0; i < dies * dies; ++i)
      sizes.push_back(static_cast<std::int64_t>(rng.below(std::uint64_t(2 * bytes / dies + 1))));
    add("uneven all-to-all", bytes, all_to_all(everyone(dies), sizes));
    rows.back().late = late;
    if (!late) continue;
    for (Picoseconds& join : rows.back().joins)
      join = Picoseconds{std::int64_t(rng.below(500'000))};
  }
  return rows;
}

/// Runs `draws` of every collective on every fabric, in both forms.
inline std::vector<AgreementRow> compare_forms(std::uint64_t seed, int draws, std::int64_t most) {
  constexpr Picoseconds kApart = 1000_ms;  // each finds an idle fabric
  const std::vector<AgreementCase> cases = agreement_cases();
  std::vector<std::unique_ptr<FabricBench>> transaction;
  std::vector<std::unique_ptr<CycleBench>> cycle;
  std::vector<std::vector<AgreementRow>> rows(cases.size());
  for (std::size_t c = 0; c < cases.size(); ++c) {
    RngStream rng{seed, "agreement/" + cases[c].name};
    transaction.push_back(std::make_unique<FabricBench>("t" + std::to_string(c), cases[c].params));
    cycle.push_back(
        std::make_unique<CycleBench>("c" + std::to_string(c), cases[c].params, FlitFabricParams{}));
    const std::int64_t dies = transaction[c]->fabric.topology().dies();
    for (int i = 0; i < draws; ++i)
      for (AgreementRow& row : draw_collectives(cases[c], dies, most, rng))
        rows[c].push_back(std::move(row));
  }
  std::vector<AgreementRow> result;
  run_in_thread([&] {
    for (std::size_t c = 0; c < cases.size(); ++c) {
      std::vector<Exchange> exchanges;
      for (const AgreementRow& row : rows[c]) exchanges.push_back(row.exchange);
      transaction[c]->load(exchanges);
      cycle[c]->load(exchanges);
      for (std::size_t i = 0; i < exchanges.size(); ++i) {
        AgreementRow& row = rows[c][i];
        const auto id = static_cast<std::int32_t>(i);
        sc_core::wait(to_sc_time(kApart));
        const Picoseconds start = now();
        std::vector<std::pair<Picoseconds, std::int32_t>> order;
        for (std::size_t s = 0; s < row.joins.size(); ++s)
          order.emplace_back(row.joins[s], static_cast<std::int32_t>(s));
        std::sort(order.begin(), order.end());
        for (const auto& [join, slot] : order) {
          wait_until(start + join);
          transaction[c]->fabric.join(id, slot);
          cycle[c]->fabric.join(id, slot);
        }
        sc_core::wait(to_sc_time(kApart));
        row.transaction = seconds(transaction[c]->end(id) - start) * 1e9;
        row.cycle = seconds(cycle[c]->end(id) - start) * 1e9;
      }
      CHECK(transaction[c]->fabric.sent() == cycle[c]->fabric.sent());
      CHECK(transaction[c]->fabric.received() == cycle[c]->fabric.received());
      for (std::size_t l = 0; l < cases[c].params.levels.size(); ++l) {
        CHECK(transaction[c]->fabric.stats()[l].bytes == cycle[c]->fabric.stats()[l].bytes);
        CHECK(transaction[c]->fabric.stats()[l].messages == cycle[c]->fabric.stats()[l].messages);
      }
      const FlitStats& flits = cycle[c]->fabric.flit_stats();
      CHECK(flits.flits_sent == flits.flits_received);
      CHECK(cycle[c]->fabric.pending().empty());
    }
  });
  for (auto& list : rows)
    for (AgreementRow& row : list) result.push_back(std::move(row));
  return result;
}

/// Prints rows and their errors, and holds those outside the corners to `kAgreement`.
inline void check_agreement(const std::vector<AgreementRow>& rows) {
  double sum = 0, worst = 0, worst_corner = 0;
  int corners = 0;
  for (const AgreementRow& row : rows) {
    std::printf("%-32s %-24s %8lld B %-5s %12.1f ns transaction %12.1f ns cycle %+6.2f %%%s\n",
                row.fabric.c_str(), row.collective.c_str(), static_cast<long long>(row.bytes),
                row.late ? "late" : "", row.transaction, row.cycle, 100 * row.error(),
                row.corner ? " (corner: reported only)" : "");
    const double error = std::abs(row.error());
    if (row.corner) {
      ++corners;
      worst_corner = std::max(worst_corner, error);
      continue;
    }
    sum += error;
    worst = std::max(worst, error);
    CAPTURE(row.fabric);
    CAPTURE(row.collective);
    CAPTURE(row.bytes);
    CHECK(error <= kAgreement);
  }
  const auto held = static_cast<double>(rows.size()) - corners;
  std::printf("%.0f collectives: mean error %.2f %%, worst %.2f %%; %d in corners, worst %.2f %%\n",
              held, 100 * sum / held, 100 * worst, corners, 100 * worst_corner);
}

}  // namespace reticle
