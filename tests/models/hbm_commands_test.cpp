// SPDX-License-Identifier: Apache-2.0
// Command by command: no DRAM command sooner than the standard allows, none later than it must be.
// The expected times stand here as the standards state them, clock by clock, and not as the model
// computes them.
#include "models/hbm/hbm_commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "models/hbm/hbm_controller.hpp"
#include "models/hbm/hbm_stream_pace.hpp"
#include "sim/base/rng.hpp"
#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_traffic.hpp"

namespace reticle {
namespace {

using enum HbmCommand;

/// Where the second command goes as seen from the first.
enum class Where : std::uint8_t { SameBank, SameGroup, SameStack, OtherStack };
constexpr std::array kWhere{Where::SameBank, Where::SameGroup, Where::SameStack, Where::OtherStack};

/// Clocks from command to command, of which the bank `where` must be at most so far away.
struct Expected {
  std::vector<HbmCommand> prev, next;
  Where reach;
  std::int64_t clocks;
  Where nearest = Where::SameBank;
};
constexpr Where kEverywhere = Where::OtherStack;

/// The rules of JESD235 (HBM2, HBM2E), JESD238 (HBM3, HBM3E) and JESD270 (HBM4), written down from
/// the standards' timing tables; the clocks are those of the reference presets.
std::vector<Expected> rules_of(const HbmTiming& t) {
  const auto n = [&](Picoseconds time) { return time.count() / t.t_ck.count(); };
  const std::int64_t write = n(t.t_cwl + t.t_burst);  // command to the end of its data
  const std::int64_t read_close = n(t.t_rtp + t.t_rp);
  const std::int64_t write_close = write + n(t.t_wr + t.t_rp);
  return {
      {{Read, ReadAuto}, {Read, ReadAuto}, Where::SameGroup, n(t.t_ccd_l)},
      {{Read, ReadAuto}, {Read, ReadAuto}, Where::SameStack, n(t.t_ccd_s)},
      {{Read, ReadAuto}, {Read, ReadAuto}, Where::OtherStack, n(t.t_ccd_r), Where::OtherStack},
      {{Write, WriteAuto}, {Write, WriteAuto}, Where::SameGroup, n(t.t_ccd_l)},
      {{Write, WriteAuto}, {Write, WriteAuto}, Where::SameStack, n(t.t_ccd_s)},
      {{Write, WriteAuto}, {Write, WriteAuto}, Where::OtherStack, n(t.t_ccd_r), Where::OtherStack},
      {{Read, ReadAuto}, {Write, WriteAuto}, kEverywhere, n(t.t_rtw)},
      {{Write, WriteAuto}, {Read, ReadAuto}, kEverywhere, write + n(t.t_wtr_s)},
      {{Write, WriteAuto}, {Read, ReadAuto}, Where::SameGroup, write + n(t.t_wtr_l)},
      {{Activate}, {Read, ReadAuto}, Where::SameBank, n(t.t_rcd_rd)},
      {{Activate}, {Write, WriteAuto}, Where::SameBank, n(t.t_rcd_wr)},
      {{Activate}, {Activate}, Where::SameBank, n(t.t_rc)},
      {{Activate}, {Activate}, Where::SameGroup, n(t.t_rrd_l)},
      {{Activate}, {Activate}, kEverywhere, n(t.t_rrd_s)},
      {{Activate}, {Precharge}, Where::SameBank, n(t.t_ras)},
      {{Activate}, {PrechargeAll}, kEverywhere, n(t.t_ras)},
      {{Precharge}, {Activate}, Where::SameBank, n(t.t_rp)},
      {{PrechargeAll}, {Activate}, kEverywhere, n(t.t_rp)},
      {{Precharge, PrechargeAll}, {Precharge, PrechargeAll}, kEverywhere, n(t.t_ppd)},
      {{Read}, {Precharge}, Where::SameBank, n(t.t_rtp)},
      {{Read, ReadAuto}, {PrechargeAll}, kEverywhere, n(t.t_rtp)},
      {{Write}, {Precharge}, Where::SameBank, write + n(t.t_wr)},
      {{Write, WriteAuto}, {PrechargeAll}, kEverywhere, write + n(t.t_wr)},
      {{ReadAuto}, {Activate, RefreshBank}, Where::SameBank, read_close},
      {{WriteAuto}, {Activate, RefreshBank}, Where::SameBank, write_close},
      {{ReadAuto}, {RefreshAll}, kEverywhere, read_close},
      {{WriteAuto}, {RefreshAll}, kEverywhere, write_close},
      {{Activate}, {RefreshAll}, kEverywhere, n(t.t_rc)},
      {{Precharge, PrechargeAll}, {RefreshAll}, kEverywhere, n(t.t_rp)},
      {{RefreshAll}, {Activate, PrechargeAll, RefreshAll, RefreshBank}, kEverywhere, n(t.t_rfc_ab)},
      {{Activate}, {RefreshBank}, Where::SameBank, n(t.t_rc)},
      {{Activate}, {RefreshBank}, kEverywhere, n(t.t_rrd_s)},
      {{Precharge}, {RefreshBank}, Where::SameBank, n(t.t_rp)},
      {{RefreshBank}, {Activate}, Where::SameBank, n(t.t_rfc_pb)},
      {{RefreshBank}, {Activate, RefreshBank}, kEverywhere, n(t.t_rrefd)},
      {{RefreshBank}, {RefreshAll}, kEverywhere, n(t.t_rfc_pb)},
  };
}

/// The same of HBM3 at 6.4 Gb/s, clock by clock.
const std::vector<Expected> kHbm3{
    {{Read, ReadAuto}, {Read, ReadAuto}, Where::SameGroup, 4},                      // tCCD_L
    {{Read, ReadAuto}, {Read, ReadAuto}, Where::SameStack, 2},                      // tCCD_S
    {{Read, ReadAuto}, {Read, ReadAuto}, Where::OtherStack, 3, Where::OtherStack},  // tCCD_R
    {{Write, WriteAuto}, {Write, WriteAuto}, Where::SameGroup, 4},
    {{Write, WriteAuto}, {Write, WriteAuto}, Where::SameStack, 2},
    {{Write, WriteAuto}, {Write, WriteAuto}, Where::OtherStack, 3, Where::OtherStack},
    {{Read, ReadAuto}, {Write, WriteAuto}, kEverywhere, 20},                // tRTW
    {{Write, WriteAuto}, {Read, ReadAuto}, kEverywhere, 10 + 2 + 7},        // tCWL + BL + tWTR_S
    {{Write, WriteAuto}, {Read, ReadAuto}, Where::SameGroup, 10 + 2 + 10},  // tWTR_L
    {{Activate}, {Read, ReadAuto}, Where::SameBank, 31},                    // tRCDRD
    {{Activate}, {Write, WriteAuto}, Where::SameBank, 15},                  // tRCDWR
    {{Activate}, {Activate}, Where::SameBank, 72},                          // tRC
    {{Activate}, {Activate}, Where::SameGroup, 5},                          // tRRD_L
    {{Activate}, {Activate}, kEverywhere, 4},                               // tRRD_S
    {{Activate}, {Precharge}, Where::SameBank, 45},                         // tRAS
    {{Activate}, {PrechargeAll}, kEverywhere, 45},
    {{Precharge}, {Activate}, Where::SameBank, 26},  // tRP
    {{PrechargeAll}, {Activate}, kEverywhere, 26},
    {{Precharge, PrechargeAll}, {Precharge, PrechargeAll}, kEverywhere, 2},  // tPPD
    {{Read}, {Precharge}, Where::SameBank, 9},                               // tRTP
    {{Read, ReadAuto}, {PrechargeAll}, kEverywhere, 9},
    {{Write}, {Precharge}, Where::SameBank, 10 + 2 + 33},  // tCWL + BL + tWR
    {{Write, WriteAuto}, {PrechargeAll}, kEverywhere, 10 + 2 + 33},
    {{ReadAuto}, {Activate, RefreshBank}, Where::SameBank, 9 + 26},
    {{WriteAuto}, {Activate, RefreshBank}, Where::SameBank, 10 + 2 + 33 + 26},
    {{ReadAuto}, {RefreshAll}, kEverywhere, 9 + 26},
    {{WriteAuto}, {RefreshAll}, kEverywhere, 10 + 2 + 33 + 26},
    {{Activate}, {RefreshAll}, kEverywhere, 72},
    {{Precharge, PrechargeAll}, {RefreshAll}, kEverywhere, 26},
    {{RefreshAll}, {Activate, PrechargeAll, RefreshAll, RefreshBank}, kEverywhere, 560},  // tRFCab
    {{Activate}, {RefreshBank}, Where::SameBank, 72},
    {{Activate}, {RefreshBank}, kEverywhere, 4},
    {{Precharge}, {RefreshBank}, Where::SameBank, 26},
    {{RefreshBank}, {Activate}, Where::SameBank, 320},         // tRFCpb
    {{RefreshBank}, {Activate, RefreshBank}, kEverywhere, 8},  // tRREFD
    {{RefreshBank}, {RefreshAll}, kEverywhere, 320},
};

/// Half clocks a command takes on its bus: ACT rising-falling-rising, other row commands one edge.
HbmTick halves(HbmCommand c, bool hbm3) {
  if (c == Activate) return hbm3 ? 3 : 4;
  return is_column(c) || !hbm3 ? 2 : 1;
}

std::size_t bank_at(Where where, const HbmParams& p) {
  const auto of = [&](std::int64_t stack, std::int64_t group, std::int64_t bank) {
    return static_cast<std::size_t>((stack * p.bank_groups + group) * p.banks_per_group + bank);
  };
  switch (where) {
    case Where::SameBank:
      return of(0, 0, 0);
    case Where::SameGroup:
      return of(0, 0, 1);
    case Where::SameStack:
      return of(0, 1, 0);
    case Where::OtherStack:
      return of(1, 0, 0);
  }
  return 0;
}

/// Start to start, in half clocks: JEDEC counts from the last half clock of either command.
HbmTick expected_ticks(const std::vector<Expected>& rules, bool hbm3, HbmCommand prev,
                       HbmCommand next, Where where) {
  HbmTick ticks = is_column(prev) == is_column(next) ? halves(prev, hbm3) : 0;
  for (const Expected& e : rules) {
    const auto in = [](const std::vector<HbmCommand>& all, HbmCommand c) {
      return std::find(all.begin(), all.end(), c) != all.end();
    };
    if (!in(e.prev, prev) || !in(e.next, next) || where > e.reach || where < e.nearest) continue;
    ticks = std::max(ticks, 2 * e.clocks + halves(prev, hbm3) - halves(next, hbm3));
  }
  return ticks;
}

void check_pairs(const HbmParams& params, bool hbm3, const std::vector<Expected>& rules) {
  constexpr HbmTick kStart = 10'000;
  int binding = 0;
  for (std::size_t a = 0; a < kHbmCommands; ++a)
    for (std::size_t b = 0; b < kHbmCommands; ++b)
      for (const Where where : kWhere) {
        if (where == Where::OtherStack && params.stack_ids == 1) continue;
        const auto prev = static_cast<HbmCommand>(a);
        const auto next = static_cast<HbmCommand>(b);
        HbmTimingState state{params, 1};
        state.issue(prev, bank_at(Where::SameBank, params), kStart);
        const HbmTick ready = state.ready(next, bank_at(where, params));
        const HbmTick expected = expected_ticks(rules, hbm3, prev, next, where);
        CAPTURE(std::string{name_of(prev)});
        CAPTURE(std::string{name_of(next)});
        CAPTURE(static_cast<int>(where));
        CHECK(std::max(ready, kStart) - kStart == expected);
        binding += expected > 0;
      }
  MESSAGE(params.standard << ": " << binding << " pairs bind");
}

TEST_CASE("HBM: every pair of commands waits exactly as long as the standard says") {
  check_pairs(hbm3_preset(), true, kHbm3);
  for (const HbmParams& params : {hbm2_preset(), hbm2e_preset()})
    check_pairs(params, false, rules_of(params.timing));
  for (const HbmParams& params : {hbm3_preset(), hbm3e_preset(), hbm4_preset()})
    check_pairs(params, true, rules_of(params.timing));
}

TEST_CASE("HBM3: the fifth activate waits for tFAW, the fourth does not") {
  const HbmParams params = hbm3_preset();
  HbmTimingState state{params, 1};
  for (HbmTick i = 0; i < 4; ++i) {
    const auto bank = static_cast<std::size_t>(i * params.banks_per_group);
    CHECK(state.ready(Activate, bank) <= 10 * i);
    state.issue(Activate, bank, 10 * i);
  }
  CHECK(state.ready(Activate, 1) == 2 * 24);
}

TEST_CASE("the two pseudo-channels of a channel share its command buses and nothing else") {
  const HbmParams params = hbm2_preset();
  HbmTimingState state{params, 2};
  const auto other = static_cast<std::size_t>(banks(params));
  state.issue(Activate, 0, 1000);
  CHECK(state.ready(Activate, other) == 1000 + 4);
  CHECK(state.ready(Precharge, other) == 1000 + 4);
  CHECK(state.ready(Read, other) < 0);
  state.issue(Read, 0, 2000);
  CHECK(state.ready(Write, other) == 2000 + 2);
}

/// Commands as they went, checked against all that went before within reach.
struct Trace {
  struct Entry {
    HbmCommand command;
    std::size_t bank;
    HbmTick at;
  };
  std::vector<Entry> entries;
  static void note(void* self, HbmCommand command, std::size_t bank, HbmTick at) {
    static_cast<Trace*>(self)->entries.push_back({command, bank, at});
  }
};

Where between(std::size_t a, std::size_t b, const HbmParams& p) {
  const auto per_group = static_cast<std::size_t>(p.banks_per_group);
  const auto per_stack = static_cast<std::size_t>(p.bank_groups) * per_group;
  if (a == b) return Where::SameBank;
  if (a / per_group == b / per_group) return Where::SameGroup;
  return a / per_stack == b / per_stack ? Where::SameStack : Where::OtherStack;
}

TEST_CASE("HbmController: no command of random traffic is sooner than the standard allows") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank, RefreshMode::PerBank})
    for (const PagePolicy page : {PagePolicy::Open, PagePolicy::Closed})
      for (const double reads : {1.0, 0.6}) {
        HbmParams params = hbm3_preset();
        params.refresh = refresh;
        params.controller.page = page;
        HbmTraffic traffic;
        traffic.order = HbmTraffic::Order::Random;
        traffic.chunk = 96;
        traffic.depth = 24;
        traffic.read_fraction = reads;
        traffic.warm_up = 10;
        traffic.measured = 1200;
        HbmTrafficRun run{params, traffic};
        Trace trace;
        run.controller().observe(Trace::note, &trace);
        run.run();
        HbmTick faw[4]{-1000, -1000, -1000, -1000};
        std::size_t activates = 0, sooner = 0;
        for (std::size_t i = 0; i < trace.entries.size(); ++i) {
          const auto& next = trace.entries[i];
          for (std::size_t j = i; j-- > 0 && next.at - trace.entries[j].at < 1200;) {
            const auto& prev = trace.entries[j];
            const Where where = between(prev.bank, next.bank, params);
            sooner +=
                next.at - prev.at < expected_ticks(kHbm3, true, prev.command, next.command, where);
          }
          if (next.command != Activate) continue;
          sooner += next.at - faw[activates % 4] < 48;
          faw[activates++ % 4] = next.at;
        }
        CHECK(activates > 500);
        CHECK(sooner == 0);
      }
}

/// Half clocks from the push of one pair of bursts to its last data.
HbmTick latency(HbmController& dut, const HbmPlace& place, HbmTick at) {
  HbmPlace second = place;
  ++second.column;
  dut.push(Access::Read, 0, place, 1, at);
  dut.push(Access::Read, 0, second, 2, at);
  while (dut.completed().size() < 2) dut.step(std::max(at, dut.next()));
  const HbmTick done = dut.completed().back().done;
  dut.completed().clear();
  return done - at;
}

TEST_CASE("HbmController: row hit, closed row and conflict take their closed forms, to the clock") {
  for (const HbmParams& params : {hbm2_preset(), hbm3_preset(), hbm4_preset()}) {
    CAPTURE(params.standard);
    const HbmTiming& t = params.timing;
    const auto clocks = [&](Picoseconds sum) { return 2 * sum.count() / t.t_ck.count(); };
    const HbmTick pair = clocks(t.t_cl + t.t_ccd_l + t.t_burst);
    HbmController dut{params};
    const HbmTick closed = latency(dut, {.bank = 3, .row = 7, .column = 0}, 1000);
    const HbmTick hit = latency(dut, {.bank = 3, .row = 7, .column = 4}, 2000);
    const HbmTick conflict = latency(dut, {.bank = 3, .row = 8, .column = 0}, 3000);
    CHECK(hit == pair);
    // ACT is longer on the command bus than RD; with half clocks that may cost the next edge.
    const HbmTick act = params.activate_half_clocks - 2;
    CHECK(closed == clocks(t.t_rcd_rd) + act + act % 2 + pair);
    const HbmTick to_act =
        clocks(t.t_rp) + params.precharge_half_clocks - params.activate_half_clocks;
    CHECK(conflict == to_act + to_act % 2 + clocks(t.t_rcd_rd) + act + act % 2 + pair);
  }
}

TEST_CASE("HbmController: a capped row gives way to an older request for another row") {
  HbmParams params = hbm3_preset();
  for (const std::int64_t cap : {0, 4}) {
    params.controller.row_hit_cap = cap;
    HbmController dut{params};
    dut.push(Access::Read, 0, {.bank = 0, .row = 1, .column = 0}, 0, 0);
    for (HbmTick at = dut.next(); dut.completed().empty(); at = dut.next()) dut.step(at);
    const HbmTick start = dut.completed().front().done;
    dut.push(Access::Read, 0, {.bank = 0, .row = 2, .column = 0}, 1, start);
    for (std::int32_t i = 0; i < 30; ++i)
      dut.push(Access::Read, 0, {.bank = 0, .row = 1, .column = 1 + i}, 2, start);
    std::int64_t before = 0;
    for (bool met = false; !met;) {
      dut.completed().clear();
      dut.step(dut.next());
      for (const auto& c : dut.completed()) {
        met |= c.tag == 1;
        before += c.tag == 2;
      }
    }
    CHECK(before == (cap == 0 ? 30 : cap));
  }
}

TEST_CASE("HbmController: reads go on beside a drain down to the last write") {
  HbmParams params = hbm3_preset();
  params.controller.write_low_percent = 0;
  HbmTraffic traffic;
  traffic.depth = 16;
  traffic.read_fraction = 0.5;
  traffic.measured = 2000;
  CHECK(HbmTrafficRun{params, traffic}.run().gbps > 1);
}

TEST_CASE("HbmController: a closed page leaves no row open behind") {
  HbmParams params = hbm3_preset();
  params.controller.page = PagePolicy::Closed;
  HbmController dut{params};
  latency(dut, {.bank = 0, .row = 1, .column = 0}, 0);
  const auto precharges = dut.counts().issued[static_cast<std::size_t>(ReadAuto)];
  CHECK(precharges == 1);
  // A new row of the bank then costs no precharge.
  const HbmTick closed = latency(dut, {.bank = 0, .row = 2, .column = 0}, 1000);
  HbmController fresh{params};
  CHECK(closed == latency(fresh, {.bank = 0, .row = 2, .column = 0}, 1000));
}

TEST_CASE("HbmController: writes gather until their queue is full enough, then go in one drain") {
  HbmParams params = hbm3_preset();
  HbmTraffic traffic;
  traffic.depth = 64;
  traffic.read_fraction = 2.0 / 3;
  HbmTrafficRun run{params, traffic};
  run.run();
  const HbmCommandCounts& counts = run.controller().counts();
  const auto writes = counts.issued[static_cast<std::size_t>(Write)];
  const double per_drain =
      static_cast<double>(writes) / (static_cast<double>(counts.turnarounds) / 2);
  // From above 51 of 64 to below 13, and what comes in meanwhile.
  CHECK(per_drain >= 38);
  CHECK(per_drain <= 80);
}

TEST_CASE("HbmController: per-bank refresh keeps up with tREFI and spares busy banks") {
  HbmParams params = hbm3_preset();
  params.refresh = RefreshMode::PerBank;
  HbmTraffic traffic;
  traffic.order = HbmTraffic::Order::Random;
  traffic.depth = 32;
  HbmTrafficRun run{params, traffic};
  const HbmMeasured busy = run.run();
  params.refresh = RefreshMode::AllBank;
  HbmTrafficRun all{params, traffic};
  const HbmMeasured stopped = all.run();
  CHECK(busy.gbps > stopped.gbps);
  const double expected = 21'000 * 64 / busy.gbps / 3900 * 32;  // ns / tREFI x banks, roughly
  const auto done =
      static_cast<double>(run.controller().counts().issued[static_cast<std::size_t>(RefreshBank)]);
  CHECK(done > expected * 0.9);
  CHECK(done < expected * 1.2);
}

TEST_CASE(
    "HbmStreamPace: writes of HBM4 lose to per-bank refresh what a queue of two rows leaves") {
  HbmParams params = hbm4_preset();
  const Picoseconds burst = params.timing.t_burst;
  CHECK(HbmStreamPace::column(params, Access::Read) == burst);
  CHECK(HbmStreamPace::column(params, Access::Write) == burst);
  params.refresh = RefreshMode::PerBank;
  const auto slower = [&](Access kind) {
    return seconds(HbmStreamPace::under_bank_refresh(params, kind, burst)) / seconds(burst);
  };
  MESSAGE("HBM4 under per-bank refresh, times as long: reads "
          << slower(Access::Read) << ", writes " << slower(Access::Write));
  // A read queue holds four rows: 128 bursts of 32 B beside rows of 1 KiB.
  CHECK(slower(Access::Read) < 1.03);
  CHECK(slower(Access::Write) > 1.05);
  // Long runs fall into step with the refreshes; reads left in their queue keep them out of it.
  const auto per_burst = [&](Picoseconds column) { return seconds(column) / seconds(burst); };
  const double in_step = per_burst(HbmStreamPace::of_long_runs(params, Access::Write));
  const double beside = per_burst(HbmStreamPace::of_long_runs_beside(params, Access::Write));
  MESSAGE("long writes: alone " << in_step << ", beside reads " << beside);
  CHECK(in_step > 1.2);
  CHECK(beside < in_step - 0.05);
  CHECK(per_burst(HbmStreamPace::of_long_runs(params, Access::Read)) < 1.03);
  params.controller.write_queue = 128;
  CHECK(slower(Access::Write) < 1.03);
  CHECK(per_burst(HbmStreamPace::of_long_runs(params, Access::Write)) < 1.03);
}

TEST_CASE("HbmStreamPace: refresh of all banks is taken off the pace of long runs") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank}) {
    HbmParams params = hbm3_preset();
    params.refresh = refresh;
    for (const Access kind : {Access::Read, Access::Write})
      CHECK(seconds(HbmStreamPace::of_long_runs(params, kind)) ==
            doctest::Approx(seconds(params.timing.t_burst)).epsilon(0.005));
  }
}

}  // namespace
}  // namespace reticle
