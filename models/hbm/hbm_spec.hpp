// SPDX-License-Identifier: Apache-2.0
// One table per DRAM standard: a new standard is data.
#pragma once

#include <cstdint>
#include <string>

#include "models/kernel/form_spec.hpp"
#include "sim/base/units.hpp"

namespace reticle {

enum class RefreshMode : std::uint8_t { Off, AllBank, PerBank };
enum class PagePolicy : std::uint8_t { Open, Closed };
/// FrFcfs: the oldest command that is ready. RowHit: the same, but no request closes a row that an
/// older one still hits.
enum class HbmScheduling : std::uint8_t { FrFcfs, RowHit };

/// JEDEC timing of one pseudo-channel. Names as in JESD235/JESD238/JESD270.
struct HbmTiming {
  Picoseconds t_ck{};     ///< command clock
  Picoseconds t_burst{};  ///< one burst on the data bus
  Picoseconds t_ccd_s{};  ///< column to column, other bank group
  Picoseconds t_ccd_l{};  ///< column to column, same bank group
  Picoseconds t_ccd_r{};  ///< column to column, other stack id
  Picoseconds t_cl{};     ///< read command to data
  Picoseconds t_cwl{};    ///< write command to data
  Picoseconds t_rcd_rd{};
  Picoseconds t_rcd_wr{};
  Picoseconds t_rp{};
  Picoseconds t_ras{};
  Picoseconds t_rc{};
  Picoseconds t_rrd_s{};
  Picoseconds t_rrd_l{};
  Picoseconds t_faw{};    ///< window for at most four activates
  Picoseconds t_wr{};     ///< write recovery
  Picoseconds t_wtr_s{};  ///< last write data to read command, other bank group
  Picoseconds t_wtr_l{};  ///< last write data to read command, same bank group
  Picoseconds t_rtp{};    ///< read to precharge
  Picoseconds t_rtw{};    ///< read command to write command
  Picoseconds t_ppd{};    ///< precharge to precharge
  Picoseconds t_rrefd{};  ///< per-bank refresh to activate or refresh of another bank
  Picoseconds t_rfc_ab{};
  Picoseconds t_rfc_pb{};
  Picoseconds t_refi{};
};

/// How a controller works through what is asked of it.
struct HbmControllerParams {
  std::int64_t read_queue = 64;   ///< bursts; default, chosen
  std::int64_t write_queue = 64;  ///< bursts; default, chosen
  /// Writes are drained from when more than `high` percent of their queue is taken until less than
  /// `low` percent is, and whenever no read waits.
  std::int64_t write_high_percent = 80;
  std::int64_t write_low_percent = 20;
  HbmScheduling scheduling = HbmScheduling::RowHit;
  /// Row hits that may pass an older request to another row of their bank; 0 = no limit.
  std::int64_t row_hit_cap = 0;
  PagePolicy page = PagePolicy::Open;
};

/// The HBM of one die: `stacks` x `pseudo_channels` alike, addresses interleaved over all of them.
struct HbmParams {
  std::string standard;  ///< name of the timing table, e.g. "hbm4"
  std::int64_t stacks = 0;
  Bytes capacity_per_stack{};
  std::int64_t pseudo_channels = 0;  ///< per stack
  std::int64_t stack_ids = 1;        ///< ranks of dies behind one channel
  std::int64_t bank_groups = 0;      ///< per stack id
  std::int64_t banks_per_group = 0;
  /// Bits of the burst index, least significant field first: co burst within the row, bg bank
  /// group, ba bank, si stack id, ro row; `si*3` takes three values, `ro` at the end all the rest.
  std::string address_map;
  /// Command bus: half clocks an activate, a precharge and a refresh take; a column command
  /// takes 2.
  std::int64_t activate_half_clocks = 2;
  std::int64_t precharge_half_clocks = 2;
  Bytes row{};         ///< row size of one pseudo-channel
  Bytes burst{};       ///< bytes of one burst
  Bytes interleave{};  ///< consecutive bytes in one channel before the next
  RefreshMode refresh = RefreshMode::AllBank;
  /// Pseudo-channels simulated one by one; 1 = one stands for all, in lockstep (exact for runs
  /// striped over all channels, see docs/models/hbm.md).
  std::int64_t simulated_channels = 1;
  HbmControllerParams controller;
  HbmTiming timing;
  ModelForm form = ModelForm::Transaction;  ///< HbmCycleChannel, or one of
  /// HbmContendedChannel, where runs of fewer bytes on a pseudo-channel contend command by command;
  /// 0: HbmChannel.
  Bytes commands_below{};
};

/// Refreshes after which every row has had one: 32 ms in steps of 3.9 us.
inline constexpr std::int64_t kRefreshesPerRow = 8192;
/// Rows of all banks of a stack.
constexpr std::int64_t rows_per_stack(const HbmParams& p) {
  return p.capacity_per_stack.count() / p.row.count();
}
/// Banks of one pseudo-channel.
constexpr std::int64_t banks(const HbmParams& p) {
  return p.stack_ids * p.bank_groups * p.banks_per_group;
}

constexpr std::int64_t channels(const HbmParams& p) { return p.stacks * p.pseudo_channels; }
constexpr Bytes capacity(const HbmParams& p) { return p.stacks * p.capacity_per_stack; }
/// Data-bus peak of all channels, before refresh and row misses.
constexpr BytesPerSecond peak_bandwidth(const HbmParams& p) {
  return BytesPerSecond{
      channels(p) * static_cast<std::int64_t>(static_cast<__int128>(p.burst.count()) *
                                              kPicosecondsPerSecond / p.timing.t_burst.count())};
}

}  // namespace reticle
