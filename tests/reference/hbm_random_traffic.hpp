// SPDX-License-Identifier: Apache-2.0
// Random traffic on HbmRunModel (transactions), HbmContendedModel (transactions, short runs by
// command) and HbmController (commands): five standards, all kinds of refresh, both page policies,
// two maps, one to four requesters, streams and pages of 2 KiB and more, alone and mixed with
// writes, and long runs of one requester beside the pages of others.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "models/hbm/hbm_contended_model.hpp"
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
    "standard,address_map,refresh,page,order,stream_B,chunk_B,depth,requesters,read_fraction,"
    "writes,cycle_GBps,transaction_GBps,error_percent,limit_percent,contended_GBps,"
    "contended_error_percent,contended_limit_percent";
/// From here on a run is placed as a whole where short ones contend command by command.
inline constexpr Bytes kHbmCommandsBelow{256 * 1024};

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

/// One requester streams runs of 256 KiB to 2 MiB, one to three others ask for pages beside it.
inline HbmCase draw_hbm_stream(RngStream& rng, bool mixed) {
  HbmCase c = draw_hbm_case(rng, mixed);
  HbmTraffic& t = c.traffic;
  t.requesters = 2 + static_cast<std::int64_t>(rng.below(3));
  t.depth = 1 + static_cast<std::int64_t>(rng.below(4));
  t.stream_chunk = static_cast<std::int64_t>(std::exp2(18 + 3 * rng.uniform())) / 4096 * 4096;
  t.warm_up = 6;
  t.measured = std::max<std::int64_t>(20, 16'000'000 / t.stream_chunk);
  return c;
}

/// Banks under refresh at a time, on average, where they are refreshed one by one.
inline double hbm_banks_under_refresh(const HbmParams& p) {
  return static_cast<double>(banks(p)) * seconds(p.timing.t_rfc_pb) / seconds(p.timing.t_refi);
}

/// Why a case is outside what is claimed (docs/models/hbm.md, "Accuracy"); nullptr: it is inside.
inline const char* hbm_not_claimed(const HbmCase& c) {
  const HbmTraffic& t = c.traffic;
  const bool mixed = t.read_fraction < 1;
  const bool small = t.chunk < 4096;
  if (t.stream_chunk > 0) return "long runs beside pages";
  if (c.params.address_map.starts_with("co5")) return "a map with whole rows together";
  if (t.requesters > 1 && t.order != HbmTraffic::Order::Random)
    return "several requesters in sequence";
  if (t.requesters > 1 && mixed && small) return "several requesters, mixes below 4 KiB";
  if (mixed && !t.posted_writes && t.depth * t.requesters == 2)
    return "awaited writes, two requests outstanding";
  const std::int64_t outstanding = t.depth * t.requesters;
  if (!mixed && small && c.params.standard == "hbm3e" && outstanding > 1 && outstanding <= 4)
    return "HBM3E, reads below 4 KiB, 2 to 4 outstanding";
  if (c.params.refresh != RefreshMode::PerBank) return nullptr;
  if (small) return "per-bank refresh, below 4 KiB";
  if (hbm_banks_under_refresh(c.params) > 2) return "per-bank refresh, two banks at a time";
  return nullptr;
}

/// The seed of a draw; RETICLE_SEED overrides it.
inline std::uint64_t hbm_seed(std::uint64_t usual) {
  const char* const given = std::getenv("RETICLE_SEED");
  return given ? std::strtoull(given, nullptr, 10) : usual;
}

struct HbmAgreement {
  int claimed = 0, claimed_outside = 0;      ///< of the transaction form
  int contended = 0, contended_outside = 0;  ///< of the one whose short runs contend by command
};

/// What is drawn and by how much bandwidth may differ.
struct HbmDraw {
  std::uint64_t seed = 0;
  int cases = 0;
  bool mixed = false;
  bool streams = false;     ///< long runs beside pages
  int contended_every = 1;  ///< cases between two with short runs by command, which take longest
  [[nodiscard]] double bound() const { return mixed ? 0.08 : 0.03; }
  [[nodiscard]] std::string name() const {
    return std::string{streams ? "long runs beside pages" : "streams and pages"} +
           (mixed ? ", mixed with writes" : "");
  }
  [[nodiscard]] HbmCase draw(RngStream& rng) const {
    return streams ? draw_hbm_stream(rng, mixed) : draw_hbm_case(rng, mixed);
  }
  /// Its own random numbers.
  [[nodiscard]] RngStream rng() const {
    return {seed, streams ? name() : mixed ? "mixed traffic" : "streams and pages"};
  }
};

/// Bandwidth of a class of cases in the two forms.
struct HbmTally {
  int cases = 0, outside = 0;
  double sum = 0, least = 0, most = 0;  ///< of the errors

  void add(double off, double bound) {
    ++cases;
    outside += std::abs(off) > bound;
    sum += std::abs(off);
    least = std::min(least, off);
    most = std::max(most, off);
  }
  void print(const char* name) const {
    std::printf("  %-46s %3d of %3d within, mean %.2f, %+.1f to %+.1f %%\n", name, cases - outside,
                cases, 100 * sum / std::max(1, cases), 100 * least, 100 * most);
  }
};

inline void print_outside(const HbmCase& c, const char* why, double transactions, double commands) {
  const HbmTraffic& t = c.traffic;
  std::printf(
      "outside (%s): %s %s %s %s %s %ld B, depth %ld x %ld, reads %.2f, writes %s: %.3f against "
      "%.3f GB/s, %+.1f %%\n",
      why ? why : "THE CLAIM", c.params.standard.c_str(), c.params.address_map.c_str(),
      kHbmRefreshes[static_cast<std::size_t>(c.params.refresh)],
      c.params.controller.page == PagePolicy::Open ? "open" : "closed",
      kHbmOrders[static_cast<std::size_t>(t.order)], t.chunk, t.depth, t.requesters,
      t.read_fraction, t.posted_writes ? "posted" : "awaited", transactions, commands,
      100 * (transactions / commands - 1));
}

/// Compares bandwidth on random cases; prints and counts those beyond the bound.
inline HbmAgreement compare_hbm(const HbmDraw& draw, ValidationCsv& csv) {
  RngStream rng = draw.rng();
  const double bound = draw.bound();
  HbmTally claimed, contended;
  std::map<std::string, HbmTally> reported;
  for (int i = 0; i < draw.cases; ++i) {
    HbmCase c = draw.draw(rng);
    const HbmTraffic& t = c.traffic;
    const double commands = HbmTrafficRun{c.params, t}.run().gbps;
    const double transactions = run_on_transactions(c.params, t).gbps;
    const double off = transactions / commands - 1;
    const char* const why = hbm_not_claimed(c);
    (why ? reported[why] : claimed).add(off, bound);
    if (std::abs(off) > bound) print_outside(c, why, transactions, commands);
    if (i % draw.contended_every != 0) continue;
    c.params.commands_below = kHbmCommandsBelow;
    const double short_by_command = run_on_transactions<HbmContendedModel>(c.params, t).gbps;
    const double contended_off = short_by_command / commands - 1;
    contended.add(contended_off, bound);
    if (std::abs(contended_off) > bound)
      print_outside(c, "SHORT RUNS BY COMMAND", short_by_command, commands);
    const char* const refresh = kHbmRefreshes[static_cast<std::size_t>(c.params.refresh)];
    const char* const page = c.params.controller.page == PagePolicy::Open ? "open" : "closed";
    const char* const order = kHbmOrders[static_cast<std::size_t>(t.order)];
    const char* const writes = !draw.mixed ? "none" : t.posted_writes ? "posted" : "awaited";
    csv.row(c.params.standard, c.params.address_map, refresh, page, order, t.stream_chunk, t.chunk,
            t.depth, t.requesters, t.read_fraction, writes, commands, transactions, 100 * off,
            why ? 0 : 100 * bound, short_by_command, 100 * contended_off, 100 * bound);
  }
  std::printf("%s, seed %llu, bound %.0f %%:\n", draw.name().c_str(),
              static_cast<unsigned long long>(draw.seed), 100 * bound);
  contended.print("short runs by command");
  if (claimed.cases > 0) claimed.print("claimed");
  for (const auto& [why, tally] : reported) tally.print(why.c_str());
  return {.claimed = claimed.cases,
          .claimed_outside = claimed.outside,
          .contended = contended.cases,
          .contended_outside = contended.outside};
}

}  // namespace reticle
