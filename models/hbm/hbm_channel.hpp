// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <systemc>
#include <vector>

#include "models/hbm/hbm_spec.hpp"
#include "models/memory/memory_if.hpp"
#include "models/memory/transaction_queue.hpp"

namespace reticle {

/// One HBM pseudo-channel at transaction level: a run of rows is one transaction, and bank, bus,
/// activation-window and refresh state are exact where it begins and ends.
///
/// Models:     open-page row hits and misses, tRCD/tRP/tRAS/tRC, activation limits (tRRD, tFAW),
///             column pacing (tCCD), read/write turnaround, all-bank refresh, a bank under per-bank
///             refresh, a finite in-order queue.
/// Leaves out: reordering (FR-FCFS), write batching, ECC, power-down (docs/models/hbm.md).
class HbmChannel final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};

  HbmChannel(const sc_core::sc_module_name& name, const HbmParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override;

 private:
  struct Bank {
    std::optional<std::int64_t> open_row;
    Picoseconds act_ready{};  ///< tRC since the last activate
    Picoseconds pre_ready{};  ///< tRAS, tRTP, tWR
    std::uint64_t seen = 0;   ///< number of the last Event taken into account
  };
  /// Something that happened to all banks at once: a precharge of all, or a run long enough to pass
  /// through every bank. Banks take it into account when they are next looked at.
  struct Event {
    bool closes = true;
    Picoseconds end{};      ///< closes: earliest activate; else the end of the run
    std::int64_t bank = 0;  ///< the run's last bank (of every group) and row,
    std::int64_t row = 0;
    Picoseconds per_set{};   ///< time it spent on one row of every group,
    Picoseconds recovery{};  ///< and from last data to precharge
  };
  /// Where a byte of this channel lies: consecutive pairs of bursts go round the bank groups, then
  /// rows of all groups fill, then the next bank of every group.
  struct Place {
    std::int64_t group, bank, row;
  };
  /// What a run costs once it streams.
  struct Pace {
    Picoseconds total{};       ///< data bus, activation window and bank cycle, whichever binds
    Picoseconds bus{};         ///< data bus alone
    Picoseconds tail{};        ///< a piece alone in few bank groups: its end after its bus time
    std::int64_t groups{};     ///< bank groups a piece visits
    std::int64_t activates{};  ///< rows opened
  };

  [[nodiscard]] Place place_of(std::int64_t address) const;
  [[nodiscard]] Pace pace_of(const MemoryRun& run) const;
  Picoseconds open(const Place& place, Access kind, Picoseconds at);
  [[nodiscard]] std::int64_t open_rows(const Place& first, std::int64_t groups);
  Picoseconds wait_for_refresh(Picoseconds at);
  Picoseconds add_refreshes(Picoseconds start, Picoseconds work);
  [[nodiscard]] Picoseconds bus_ready(Access kind) const;
  void close_all(Picoseconds at);
  void settle(const MemoryRun& run, Picoseconds start, Picoseconds end);
  Bank& bank_at(std::int64_t group, std::int64_t bank) {
    Bank& found = banks_[static_cast<std::size_t>(bank * params_.bank_groups + group)];
    if (found.seen != events_) catch_up(found, bank);
    return found;
  }
  void catch_up(Bank& bank, std::int64_t bank_index) const;

  const HbmParams params_;
  const HbmTiming& t_{params_.timing};
  const std::int64_t row_set_;  ///< bytes in one row of every bank group
  const std::int64_t sets_;     ///< banks of one group, all stack ids together
  std::vector<Bank> banks_;
  Event event_;               ///< the last one; it hides those before
  std::uint64_t events_ = 0;  ///< how many there were
  std::array<Picoseconds, 4> recent_activates_{};
  std::size_t next_activate_ = 0;
  Picoseconds last_activate_{std::int64_t{-1'000'000'000}};
  Picoseconds bus_free_{};
  Picoseconds last_data_{};  ///< end of the last run's last burst
  std::optional<Access> last_kind_;
  static constexpr std::int64_t kNoGroup = -1;
  std::int64_t last_group_ = kNoGroup;  ///< the only bank group of the last run
  Picoseconds group_ready_{};           ///< its next data, tCCD_L after its last
  Picoseconds next_refresh_;
  TransactionQueue queue_;
  MemoryStats stats_;
};

}  // namespace reticle
