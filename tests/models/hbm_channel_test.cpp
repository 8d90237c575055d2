// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_channel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

const HbmTiming t = hbm3_timing();
const HbmParams kQuiet = hbm3(RefreshMode::Off);
/// Consecutive bytes in one row of every bank group; the next set lies in the next banks.
const Bytes kRowSet = kQuiet.bank_groups * kQuiet.row;
/// From one row of a bank to the next.
const Bytes kNextRow = kQuiet.stack_ids * kQuiet.banks_per_group * kRowSet;
/// Two bursts in one bank group.
const Bytes kPair = 2 * kQuiet.burst;
const Picoseconds kPairData = t.t_ccd_l + t.t_burst;

MemoryRun read(Bytes address, Bytes bytes = kPair) { return {Access::Read, address, bytes, 0_B}; }
MemoryRun write(Bytes address, Bytes bytes = kPair) { return {Access::Write, address, bytes, 0_B}; }
Picoseconds bus_time(Bytes bytes) { return bytes.count() / kQuiet.burst.count() * t.t_burst; }

TEST_CASE("HbmChannel: a first access pays activate, column latency and its bursts") {
  HbmChannel dut{"dut", kQuiet};
  const AccessTiming first = dut.access(read(0_B), 3_ns);
  CHECK(first.started == 3_ns);
  CHECK(first.first_data == 3_ns + t.t_rcd_rd + t.t_cl + t.t_burst);
  CHECK(first.done == 3_ns + t.t_rcd_rd + t.t_cl + kPairData);
  CHECK(dut.stats().activates == 1);
  CHECK(dut.stats().row_hits == 0);
}

TEST_CASE("HbmChannel: a row hit pays only column latency and its bursts") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B), 0_ps);
  CHECK(dut.access(read(0_B), 1_us).done == 1_us + t.t_cl + t.t_ccd_l + t.t_burst);
  CHECK(dut.stats().row_hits == 1);
  CHECK(dut.stats().activates == 1);
}

TEST_CASE("HbmChannel: a row conflict pays precharge, activate, column latency and its bursts") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B), 0_ps);
  CHECK(dut.access(read(kNextRow), 1_us).done ==
        1_us + t.t_rp + t.t_rcd_rd + t.t_cl + t.t_ccd_l + t.t_burst);
  CHECK(dut.stats().activates == 2);
}

TEST_CASE("HbmChannel: writes have their own column and activate latencies") {
  HbmChannel dut{"dut", kQuiet};
  CHECK(dut.access(write(0_B), 0_ps).done == t.t_rcd_wr + t.t_cwl + kPairData);
  CHECK(dut.access(write(0_B), 1_us).done == 1_us + t.t_cwl + kPairData);
}

TEST_CASE("HbmChannel: a conflict waits for tRC, tRAS and tRTP of the row before") {
  const auto second_activate = [](Picoseconds t_rc, Picoseconds t_ras, Picoseconds t_rtp) {
    HbmParams params = kQuiet;
    params.timing.t_rc = t_rc;
    params.timing.t_ras = t_ras;
    params.timing.t_rtp = t_rtp;
    HbmChannel dut{sc_core::sc_gen_unique_name("dut"), params};
    dut.access(read(0_B), 0_ps);
    return dut.access(read(kNextRow), 0_ps).done - t.t_rcd_rd - t.t_cl - kPairData;
  };
  CHECK(second_activate(100_ns, t.t_ras, t.t_rtp) == 100_ns);
  CHECK(second_activate(0_ns, 80_ns, t.t_rtp) == 80_ns + t.t_rp);
  // tRTP runs from the pair's second read command, tCCD_L after the first.
  CHECK(second_activate(0_ns, 0_ns, 30_ns) == t.t_rcd_rd + t.t_ccd_l + 30_ns + t.t_rp);
}

TEST_CASE("HbmChannel: a conflict after a write waits for write recovery") {
  HbmChannel dut{"dut", kQuiet};
  const Picoseconds written = dut.access(write(0_B), 0_ps).done;
  CHECK(dut.access(read(kNextRow), 0_ps).done ==
        written + t.t_wr + t.t_rp + t.t_rcd_rd + t.t_cl + kPairData);
}

TEST_CASE("HbmChannel: a chunk of S bytes takes precharge, activate, column latency and S / peak") {
  HbmChannel dut{"dut", kQuiet};
  Picoseconds at{};
  for (const Bytes bytes : {256_B, 2_KiB, 4_KiB, 16_KiB, 64_KiB}) {
    dut.access(read(0_B), at);
    at += 100_us;
    CHECK(dut.access(read(kNextRow, bytes), at).done ==
          at + t.t_rp + t.t_rcd_rd + t.t_cl + bus_time(bytes));
    at += 100_us;
  }
}

TEST_CASE("HbmChannel: consecutive pairs go round the bank groups without a gap on the bus") {
  HbmChannel dut{"dut", kQuiet};
  const Picoseconds first = dut.access(read(0_B), 0_ps).done;
  Picoseconds last{};
  const std::int64_t pairs = kRowSet.count() / kPair.count();
  for (std::int64_t i = 1; i < pairs; ++i) last = dut.access(read(i * kPair), 0_ps).done;
  CHECK(last == first + (pairs - 1) * bus_time(kPair));
  CHECK(dut.stats().activates == kQuiet.bank_groups);
}

TEST_CASE("HbmChannel: pairs of one bank group are tCCD_L apart, burst by burst") {
  HbmChannel dut{"dut", kQuiet};
  const Picoseconds first = dut.access(read(0_B), 0_ps).done;
  const Bytes same_group = kQuiet.bank_groups * kPair;
  CHECK(dut.access(read(same_group), 0_ps).done == first + 2 * t.t_ccd_l);
}

TEST_CASE("HbmChannel: the fifth activate waits for the four-activate window") {
  for (const Picoseconds t_faw : {t.t_faw, 2 * t.t_faw}) {
    HbmParams params = kQuiet;
    params.timing.t_faw = t_faw;
    HbmChannel dut{sc_core::sc_gen_unique_name("dut"), params};
    const Picoseconds service = t.t_rcd_rd + t.t_cl + kPairData;
    for (std::int64_t i = 0; i < 4; ++i)
      CHECK(dut.access(read(i * kPair), 0_ps).done == i * t.t_rrd_s + service);
    CHECK(dut.access(read(kRowSet), 0_ps).done == t_faw + service);
    CHECK(dut.access(read(kRowSet + kPair), 0_ps).done == t_faw + t.t_rrd_s + service);
  }
}

TEST_CASE("HbmChannel: scattered pieces saturate where bus, activate window or banks bind") {
  const double peak = static_cast<double>(kQuiet.burst.count()) / seconds(t.t_burst);
  for (const Picoseconds t_faw : {5_ns, 15_ns, 30_ns})
    for (const Bytes piece : {64_B, 128_B, 256_B}) {
      HbmParams params = kQuiet;
      params.timing.t_faw = t_faw;
      HbmChannel dut{sc_core::sc_gen_unique_name("dut"), params};
      const Bytes bytes = 100'000 * piece;
      const Picoseconds done = dut.access({Access::Read, 0_B, bytes, piece}, 0_ps).done;
      const double rate = static_cast<double>(bytes.count()) / seconds(done);
      // Every bank group a piece visits costs one activate per 64 bytes.
      const double window = std::max(seconds(t_faw) / 4, seconds(t.t_rrd_s));
      const double expected = std::min(1.0, 64 / (peak * window));
      // Pieces that meet in a group or a bank leave the bus idle now and then.
      CHECK(rate / peak <= expected * 1.01);
      CHECK(rate / peak >= expected * 0.85);
    }
}

TEST_CASE("HbmChannel: a change of direction costs the bus its turnaround") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B), 0_ps);
  const Picoseconds start = 1_us;
  const Picoseconds read_1 = dut.access(read(0_B, kRowSet), start).done;
  const Picoseconds wrote = dut.access(write(0_B, kRowSet), start).done;
  const Picoseconds read_2 = dut.access(read(0_B, kRowSet), start).done;
  const Picoseconds data = bus_time(kRowSet);
  // tRTW and tWTR run between commands; the write's data follow its command by tCWL, the read's by
  // tCL.
  CHECK(wrote == read_1 - t.t_burst - t.t_cl + t.t_rtw + t.t_cwl + data);
  CHECK(read_2 == wrote + t.t_wtr_l + t.t_cl + data);
  CHECK(dut.stats().turnarounds == 2);
}

TEST_CASE("HbmChannel: what lies behind a run's first set waits for the turn of the bus, too") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B, 2 * kRowSet), 0_ps);
  const Picoseconds wrote = dut.access(write(0_B, 2 * kRowSet), 0_ps).done;
  const AccessTiming turned = dut.access(read(0_B, 2 * kRowSet), 0_ps);
  CHECK(turned.first_data >= wrote + t.t_wtr_l + t.t_cl + t.t_burst);
  CHECK(turned.done >= wrote + t.t_wtr_l + t.t_cl + bus_time(2 * kRowSet));
}

TEST_CASE("HbmChannel: sequential reads lose tRFC + tRP + tRCD + tRTP in every tREFI") {
  HbmChannel dut{"dut", hbm3(RefreshMode::AllBank)};
  const Bytes bytes = 32_MiB;
  const Picoseconds done = dut.access(read(0_B, bytes), 0_ps).done;
  const double share = seconds(bus_time(bytes)) / seconds(done);
  const double loss = seconds(t.t_rfc_ab + t.t_rp + t.t_rcd_rd + t.t_rtp) / seconds(t.t_refi);
  MESSAGE("sequential share of peak with all-bank refresh: " << share);
  CHECK(share == doctest::Approx(1 - loss).epsilon(0.003));
  CHECK(dut.stats().refreshes == done.count() / t.t_refi.count());
}

TEST_CASE("HbmChannel: a refresh while idle closes the rows and counts") {
  HbmChannel dut{"dut", hbm3(RefreshMode::AllBank)};
  dut.access(read(0_B), 0_ps);
  const Picoseconds before = t.t_refi - 1_us;
  CHECK(dut.access(read(0_B), before).done == before + t.t_cl + kPairData);
  const Picoseconds after = 3 * t.t_refi + 1_us;
  CHECK(dut.access(read(0_B), after).done == after + t.t_rcd_rd + t.t_cl + kPairData);
  CHECK(dut.stats().refreshes == 3);
  CHECK(dut.stats().row_hits == 1);
}

TEST_CASE("HbmChannel: a request that meets a refresh waits for its end") {
  HbmChannel dut{"dut", hbm3(RefreshMode::AllBank)};
  dut.access(read(0_B), 0_ps);
  const AccessTiming met = dut.access(read(0_B), t.t_refi);
  CHECK(met.accepted == t.t_refi);
  CHECK(met.started == t.t_refi + t.t_rtp + t.t_rp + t.t_rfc_ab);
  CHECK(met.done == met.started + t.t_rcd_rd + t.t_cl + kPairData);
}

TEST_CASE("HbmChannel: under per-bank refresh only rows of the bank in turn wait") {
  HbmChannel dut{"dut", hbm3(RefreshMode::PerBank)};
  const std::int64_t banks = reticle::banks(kQuiet);
  const Picoseconds one{t.t_refi.count() / banks};
  const Picoseconds slot = (1 + kQuiet.banks_per_group) * one;
  // Bank 0 is refreshed in the first slot, as in HbmController; the next group's first four later.
  CHECK(dut.access(read(0_B), one).done == one + t.t_rfc_pb + t.t_rcd_rd + t.t_cl + kPairData);
  CHECK(dut.access(read(kPair), t.t_refi + slot).done ==
        t.t_refi + slot + t.t_rfc_pb + t.t_rcd_rd + t.t_cl + kPairData);
  // Bank 2 is not in turn then.
  CHECK(dut.access(read(2 * kPair), 2 * t.t_refi).done ==
        2 * t.t_refi + t.t_rcd_rd + t.t_cl + kPairData);
  // Whether asked for or not, each bank is refreshed once every tREFI.
  CHECK(dut.stats().refreshes == 0);
  CHECK(dut.stats().bank_refreshes == 2 * banks);
}

TEST_CASE("HbmChannel: a run comes into sight when the queue has room for its first burst") {
  HbmParams params = kQuiet;
  params.controller.read_queue = 512;
  HbmChannel dut{"dut", params};
  const std::int64_t fit = params.controller.read_queue * params.burst.count() / kRowSet.count();
  std::vector<AccessTiming> times;
  for (std::int64_t i = 0; i <= fit; ++i)
    times.push_back(dut.access(read(i * kRowSet, kRowSet), 0_ps));
  for (std::int64_t i = 0; i < fit; ++i) CHECK(times[static_cast<std::size_t>(i)].accepted == 0_ps);
  // The first burst's column command makes room for it.
  const Picoseconds first_command = times.front().first_data - t.t_burst - t.t_cl;
  CHECK(times.back().accepted >= first_command);
  CHECK(times.back().accepted <= first_command + t.t_burst);
}

TEST_CASE("HbmChannel: a run split into consecutive runs costs the same within one row time") {
  for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank}) {
    const Bytes bytes = 1_MiB;
    HbmChannel whole{sc_core::sc_gen_unique_name("dut"), hbm3(refresh)};
    const Picoseconds once = whole.access(read(0_B, bytes), 0_ps).done;
    for (const std::int64_t parts : {2, 16, 256, 4096}) {
      HbmChannel split{sc_core::sc_gen_unique_name("dut"), hbm3(refresh)};
      Picoseconds done{};
      for (std::int64_t i = 0; i < parts; ++i) {
        const Bytes part{bytes.count() / parts};
        done = split.access(read(i * part, part), 0_ps).done;
      }
      CAPTURE(parts);
      CHECK(std::abs((done - once).count()) <= bus_time(kQuiet.row).count());
      // Of rows in sight that a refresh closed, short runs know only their own.
      const std::int64_t again = whole.stats().refreshes * kQuiet.bank_groups;
      CHECK(split.stats().activates <= whole.stats().activates);
      CHECK(split.stats().activates >= whole.stats().activates - again);
      CHECK(split.stats().busy == whole.stats().busy);
    }
  }
}

TEST_CASE("HbmChannel: scattered runs leave no open row behind") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B), 0_ps);
  dut.access({Access::Read, 0_B, 4_KiB, 64_B}, 1_us);
  const std::int64_t hits = dut.stats().row_hits;
  CHECK(dut.access(read(0_B), 10_us).done == 10_us + t.t_rcd_rd + t.t_cl + kPairData);
  CHECK(dut.stats().row_hits == hits);
}

TEST_CASE("HbmChannel: two scattered runs back to back cost what one run costs") {
  HbmChannel one{"one", kQuiet};
  HbmChannel two{"two", kQuiet};
  const Bytes piece = 1_KiB;
  const Picoseconds whole = one.access({Access::Read, 0_B, 64 * piece, piece}, 0_ps).done;
  two.access({Access::Read, 0_B, 32 * piece, piece}, 0_ps);
  CHECK(two.access({Access::Read, 0_B, 32 * piece, piece}, 0_ps).done == whole);
}

TEST_CASE("HbmChannel: a later run fills the bus while an earlier one waits for its bank") {
  HbmChannel dut{"dut", kQuiet};
  dut.access(read(0_B, kRowSet), 0_ps);
  const Bytes little{kRowSet.count() / 8};  // within the controller's sight, with what follows
  const Picoseconds conflict = dut.access(read(kNextRow, little), 0_ps).done;
  CHECK(dut.access(read(kRowSet), 0_ps).done < conflict);
}

}  // namespace
}  // namespace reticle
