// SPDX-License-Identifier: Apache-2.0
// Random traffic on HbmRunModel (transactions) and HbmController (commands): five standards, all
// kinds of refresh, both page policies, two maps, one to four requesters, streams and pages of
// 2 KiB and more, alone and mixed with writes.
#pragma once

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
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
    "cycle_GBps,transaction_GBps,error_percent,limit_percent";

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

/// Why a case is outside what is claimed (docs/models/hbm.md, "Accuracy"); nullptr: it is inside.
inline const char* hbm_not_claimed(const HbmCase& c) {
  const HbmTraffic& t = c.traffic;
  if (c.params.address_map.starts_with("co5")) return "a map with whole rows together";
  if (t.requesters > 1 && t.order != HbmTraffic::Order::Random)
    return "several requesters in sequence";
  if (t.read_fraction < 1 && !t.posted_writes && t.depth == 2) return "awaited writes at depth 2";
  if (c.params.refresh == RefreshMode::PerBank) return "per-bank refresh";
  if (c.params.controller.page == PagePolicy::Closed) return "closed page";
  return nullptr;
}

/// The seed of a draw; RETICLE_SEED overrides it.
inline std::uint64_t hbm_seed(std::uint64_t usual) {
  const char* const given = std::getenv("RETICLE_SEED");
  return given ? std::strtoull(given, nullptr, 10) : usual;
}

struct HbmAgreement {
  int claimed = 0, claimed_outside = 0;
  int reported = 0, reported_outside = 0;  ///< not claimed: reported only
};

/// Compares bandwidth on `cases` random cases; prints and counts those beyond `bound`.
inline HbmAgreement compare_hbm(std::uint64_t seed, int cases, bool mixed, double bound,
                                ValidationCsv& csv) {
  RngStream rng{seed, mixed ? "mixed traffic" : "streams and pages"};
  HbmAgreement found;
  double worst = 0, sum = 0, worst_reported = 0, sum_reported = 0;
  for (int i = 0; i < cases; ++i) {
    const HbmCase c = draw_hbm_case(rng, mixed);
    const HbmTraffic& t = c.traffic;
    const double commands = HbmTrafficRun{c.params, t}.run().gbps;
    const double transactions = run_on_transactions(c.params, t).gbps;
    const double off = transactions / commands - 1;
    const bool outside = std::abs(off) > bound;
    const char* const why = hbm_not_claimed(c);
    (why ? found.reported : found.claimed) += 1;
    (why ? found.reported_outside : found.claimed_outside) += outside;
    double& most = why ? worst_reported : worst;
    most = std::max(most, std::abs(off));
    (why ? sum_reported : sum) += std::abs(off);
    const char* const refresh = kHbmRefreshes[static_cast<std::size_t>(c.params.refresh)];
    const char* const page = c.params.controller.page == PagePolicy::Open ? "open" : "closed";
    const char* const order = kHbmOrders[static_cast<std::size_t>(t.order)];
    const char* const writes = !mixed ? "none" : t.posted_writes ? "posted" : "awaited";
    csv.row(c.params.standard, c.params.address_map, refresh, page, order, t.chunk, t.depth,
            t.requesters, t.read_fraction, writes, commands, transactions, 100 * off,
            why ? 0 : 100 * bound);
    if (outside)
      std::printf(
          "outside (%s): %s %s %s %s %s %ld B, depth %ld x %ld, reads %.2f, writes %s: %.3f "
          "against "
          "%.3f GB/s, %+.1f %%\n",
          why ? why : "THE CLAIM", c.params.standard.c_str(), c.params.address_map.c_str(), refresh,
          page, order, t.chunk, t.depth, t.requesters, t.read_fraction, writes, transactions,
          commands, 100 * off);
  }
  std::printf(
      "%s, seed %llu: claimed %d of %d within %.0f %%, mean %.2f, worst %.2f %%; reported only "
      "%d of %d, mean %.2f, worst %.2f %%\n",
      mixed ? "mixes" : "streams and pages", static_cast<unsigned long long>(seed),
      found.claimed - found.claimed_outside, found.claimed, 100 * bound,
      100 * sum / std::max(1, found.claimed), 100 * worst, found.reported - found.reported_outside,
      found.reported, 100 * sum_reported / std::max(1, found.reported), 100 * worst_reported);
  return found;
}

}  // namespace reticle
