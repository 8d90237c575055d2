// SPDX-License-Identifier: Apache-2.0
// Random traffic on HbmRunModel (transactions) and HbmController (commands): five standards, all
// kinds of refresh, both page policies, two maps, one to four requesters, streams and pages of
// 2 KiB and more, alone and mixed with writes.
#pragma once

#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>

#include "sim/base/rng.hpp"
#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_run_traffic.hpp"
#include "tests/reference/validation_csv.hpp"

namespace reticle {

struct HbmCase {
  HbmParams params;
  HbmTraffic traffic;
};

inline constexpr std::array kHbmOrders{"sequential", "random", "same row", "both"};
inline constexpr std::array kHbmRefreshes{"off", "all-bank", "per-bank"};
inline constexpr const char* kHbmCaseColumns =
    "standard,address_map,refresh,page,order,chunk_B,depth,requesters,read_fraction,writes,"
    "cycle_GBps,transaction_GBps,error_percent";

/// The map of a preset with all bursts of a row together.
inline std::string hbm_row_map(std::string map) {
  map.erase(map.find(" co4"), 4);
  return map.replace(map.find("co1"), 3, "co5");
}

inline HbmCase draw_hbm_case(RngStream& rng, bool mixed) {
  HbmCase c{std::array{hbm2_preset(), hbm2e_preset(), hbm3_preset(), hbm3e_preset(),
                       hbm4_preset()}[rng.below(5)],
            {}};
  c.params.refresh =
      std::array{RefreshMode::Off, RefreshMode::AllBank, RefreshMode::PerBank}[rng.below(3)];
  if (rng.below(6) == 0) c.params.controller.page = PagePolicy::Closed;
  if (rng.below(5) == 0) c.params.address_map = hbm_row_map(c.params.address_map);
  c.traffic.order = std::array{HbmTraffic::Order::Sequential, HbmTraffic::Order::Random,
                               HbmTraffic::Order::Both}[rng.below(3)];
  // Evenly over the logarithm, in whole 64 B.
  c.traffic.chunk = static_cast<std::int64_t>(std::exp2(11 + 6 * rng.uniform())) / 64 * 64;
  c.traffic.depth = std::int64_t{1} << rng.below(6);
  c.traffic.requesters = rng.below(4) == 0 ? 2 + static_cast<std::int64_t>(rng.below(3)) : 1;
  c.traffic.read_fraction = mixed ? 0.95 * rng.uniform() : 1;
  c.traffic.posted_writes = rng.below(3) != 0;
  c.traffic.warm_up = 200;
  c.traffic.measured = std::max<std::int64_t>(400, 3'000'000 / c.traffic.chunk);
  return c;
}

/// Where the transaction form is known to leave the bound (docs/models/hbm.md, "Accuracy").
inline bool known_rough(const HbmCase& c) {
  const bool refreshed_singly = c.params.refresh == RefreshMode::PerBank;
  const bool closed = c.params.controller.page == PagePolicy::Closed;
  const bool row_map = c.params.address_map.starts_with("co5");
  return refreshed_singly || closed || row_map || c.traffic.requesters > 1;
}

struct HbmAgreement {
  int plain = 0, plain_outside = 0;  ///< cases not known to be rough
  int rough = 0, rough_outside = 0;
};

/// Compares bandwidth on `cases` random cases; prints and counts those beyond `bound`.
inline HbmAgreement compare_hbm(std::uint64_t seed, int cases, bool mixed, double bound,
                                ValidationCsv& csv) {
  RngStream rng{seed, mixed ? "mixed traffic" : "streams and pages"};
  HbmAgreement found;
  double worst = 0, sum = 0;
  for (int i = 0; i < cases; ++i) {
    const HbmCase c = draw_hbm_case(rng, mixed);
    const HbmTraffic& t = c.traffic;
    const double commands = HbmTrafficRun{c.params, t}.run().gbps;
    const double transactions = run_on_transactions(c.params, t).gbps;
    const double off = transactions / commands - 1;
    const bool outside = std::abs(off) > bound;
    (known_rough(c) ? found.rough : found.plain) += 1;
    (known_rough(c) ? found.rough_outside : found.plain_outside) += outside;
    worst = std::max(worst, std::abs(off));
    sum += std::abs(off);
    const char* const refresh = kHbmRefreshes[static_cast<std::size_t>(c.params.refresh)];
    const char* const page = c.params.controller.page == PagePolicy::Open ? "open" : "closed";
    const char* const order = kHbmOrders[static_cast<std::size_t>(t.order)];
    const char* const writes = !mixed ? "none" : t.posted_writes ? "posted" : "awaited";
    csv.row(c.params.standard, c.params.address_map, refresh, page, order, t.chunk, t.depth,
            t.requesters, t.read_fraction, writes, commands, transactions, 100 * off);
    if (outside)
      std::printf(
          "outside%s: %s %s %s %s %s %ld B, depth %ld x %ld, reads %.2f, writes %s: %.3f against "
          "%.3f GB/s, %+.1f %%\n",
          known_rough(c) ? "" : " AND NOT KNOWN", c.params.standard.c_str(),
          c.params.address_map.c_str(), refresh, page, order, t.chunk, t.depth, t.requesters,
          t.read_fraction, writes, transactions, commands, 100 * off);
  }
  std::printf("%s: plain %d of %d, others %d of %d within %.0f %%; mean %.2f %%, worst %.2f %%\n",
              mixed ? "mixes" : "streams and pages", found.plain - found.plain_outside, found.plain,
              found.rough - found.rough_outside, found.rough, 100 * bound, 100 * sum / cases,
              100 * worst);
  return found;
}

}  // namespace reticle
