// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "models/hbm/hbm_commands.hpp"
#include "models/hbm/hbm_map.hpp"
#include "models/memory/memory_spec.hpp"

namespace reticle {

/// What a controller did, in commands; `bank_active` sums over banks.
struct HbmCommandCounts {
  std::array<std::int64_t, kHbmCommands> issued{};
  std::int64_t row_hits = 0;     ///< column commands whose row needed no activate of theirs
  std::int64_t turnarounds = 0;  ///< direction changes of the data bus
  HbmTick bank_active = 0;       ///< of rows closed again
};

/// The controller of one HBM channel at command level.
///
/// Models:     bursts in a read and a write queue, FR-FCFS over open rows with a cap on row hits,
///             drain of writes between watermarks, reads answered from queued writes, open and
///             closed page, all-bank and per-bank refresh, one row and one column command a clock
///             for all pseudo-channels of the channel; every command at its earliest legal tick.
/// Leaves out: ECC, power-down, refresh management, a clock of its own: the caller asks when the
///             next command may go, and nothing happens in between.
class HbmController {
 public:
  static constexpr HbmTick kNever = std::numeric_limits<HbmTick>::max();
  struct Completion {
    HbmTick command = 0;  ///< its column command went
    HbmTick done = 0;     ///< last data of the burst
    std::uint32_t tag = 0;
  };
  /// What is told of every command, for checks and pictures.
  using Observer = void (*)(void* context, HbmCommand command, std::size_t bank, HbmTick at);

  /// A channel of `pseudo_channels` with common queues and command buses.
  explicit HbmController(const HbmParams& params, std::int64_t pseudo_channels = 1);

  [[nodiscard]] bool full(Access kind) const { return sizes_[side(kind)] >= limits_[side(kind)]; }
  /// Queues one burst at `now`, which must not lie before the last step. Not when full(kind).
  void push(Access kind, std::int64_t pseudo_channel, const HbmPlace& place, std::uint32_t tag,
            HbmTick now);
  /// Earliest tick at which a command may go, or a refresh falls due.
  [[nodiscard]] HbmTick next() const { return next_; }
  /// Issues what can go at `now`: at most one column and one row command.
  void step(HbmTick now);
  /// Bursts whose column command has gone, oldest first; the caller takes them off.
  [[nodiscard]] std::deque<Completion>& completed() { return completed_; }
  /// Bursts in a queue.
  [[nodiscard]] std::int64_t queued(Access kind) const { return sizes_[side(kind)]; }
  /// Bursts that wait for their column command.
  [[nodiscard]] std::int64_t waiting() const { return sizes_[0] + sizes_[1] + opened_; }
  [[nodiscard]] const HbmCommandCounts& counts() const { return counts_; }
  /// Nothing waits and others have used the banks since `left`: goes on at `now`. Refreshes due by
  /// then count as done; a bank's row is `rows[bank]` where that is not negative.
  void resume(HbmTick left, HbmTick now, const std::vector<std::int32_t>& rows);
  /// Banks with an open row, summed over time up to `now`: rows still open as well.
  [[nodiscard]] HbmTick bank_active(HbmTick now) const;
  void observe(Observer observer, void* context) {
    observer_ = observer;
    context_ = context;
  }

 private:
  using Index = std::int16_t;
  static constexpr Index kNone = -1;
  static constexpr std::int32_t kClosed = -1;
  struct Burst {
    HbmTick arrival = 0;
    std::uint64_t order = 0;
    std::uint32_t tag = 0;
    HbmPlace place;
    Access kind = Access::Read;
    Index previous = kNone, next = kNone;  ///< in the queue of its bank and kind
  };
  struct List {
    Index head = kNone, tail = kNone;
  };
  struct Bank {
    std::int32_t row = kClosed;
    Index opener = kNone;  ///< the burst whose activate opened the row, until it is served
    std::array<List, 2> queue;
    Index hit = kNone;        ///< oldest burst of the open row, and
    Index miss = kNone;       ///< of another one, in the queue being served
    std::int64_t passed = 0;  ///< row hits served while a miss waited
    HbmTick opened = 0;
  };
  /// Banks of one pseudo-channel as bits: who has something to offer to which bus.
  struct Channel {
    std::uint64_t openers = 0, hits = 0, activates = 0, precharges = 0;
    HbmTick refresh_due = kNever;
    bool refreshing = false;      ///< an all-bank refresh is due and waits for its turn
    std::int64_t owed = 0;        ///< per-bank refreshes due and not yet chosen
    std::int64_t bank = -1;       ///< bank chosen for refresh, waiting for its turn
    std::uint64_t refreshed = 0;  ///< banks that had their turn in this round
  };
  struct Pick {
    Index burst = kNone;
    std::size_t bank = 0;
    HbmCommand command = HbmCommand::Read;
    std::uint64_t order = std::numeric_limits<std::uint64_t>::max();
  };

  static constexpr std::size_t side(Access kind) { return kind == Access::Write ? 1 : 0; }
  [[nodiscard]] std::uint64_t bit(std::size_t bank) const {
    return std::uint64_t{1} << (bank % banks_per_channel_);
  }
  Channel& channel_of(std::size_t bank) { return channels_[bank / banks_per_channel_]; }
  [[nodiscard]] HbmTick clocked(HbmCommand command, HbmTick at) const {
    // Only half-clock row commands may go on a falling edge.
    const bool any_edge =
        !is_column(command) && half_clock_rows_ && command != HbmCommand::Activate;
    return any_edge ? at : at + (at & 1);
  }
  [[nodiscard]] HbmTick when(HbmCommand command, std::size_t bank) const {
    return clocked(command, timing_.ready(command, bank));
  }
  [[nodiscard]] bool forwarded(const Bank& bank, const HbmPlace& place) const;
  void append(List& list, Index burst);
  void remove(List& list, Index burst);
  void review(std::size_t bank);
  void review_all();
  void choose_direction();
  [[nodiscard]] HbmCommand column_command(const Bank& bank, Index burst) const;
  /// The oldest ready candidate for a bus at `now`; lowers next_ to the time of those that wait.
  void offer(Pick& best, Index burst, HbmCommand command, std::size_t bank, HbmTick now);
  Pick pick_column(HbmTick now);
  Pick pick_row(HbmTick now);
  void issue_column(const Pick& pick, HbmTick now);
  void issue_row(const Pick& pick, HbmTick now);
  void close(std::size_t bank, HbmTick now);
  void send(HbmCommand command, std::size_t bank, HbmTick now);
  bool refresh(std::size_t channel, HbmTick now);
  bool refresh_all(std::size_t channel, HbmTick now);
  bool refresh_bank(std::size_t channel, HbmTick now);
  void choose_bank_to_refresh(std::size_t channel);
  void fall_due(HbmTick now);

  const HbmControllerParams params_;
  const RefreshMode refresh_;
  const bool half_clock_rows_;
  const std::size_t banks_per_channel_;
  const HbmTick read_data_, write_data_;  ///< from column command to the end of its burst
  const HbmTick refresh_interval_;
  HbmTimingState timing_;
  std::vector<Burst> bursts_;
  std::vector<Index> free_;
  std::vector<Bank> banks_;
  std::vector<Channel> channels_;
  std::array<std::int64_t, 2> sizes_{}, limits_{};
  std::int64_t drain_above_, drain_below_;  ///< queued writes
  std::int64_t opened_ = 0;  ///< bursts out of their queue whose column command has not gone
  bool writing_ = false;
  bool bus_writes_ = false;  ///< direction of the last data
  std::uint64_t order_ = 0;
  HbmTick next_ = kNever;
  std::deque<Completion> completed_;
  HbmCommandCounts counts_;
  Observer observer_ = nullptr;
  void* context_ = nullptr;
};

/// Adds what a controller has done up to `now` to the counts every memory keeps.
void add_counts(MemoryStats& stats, const HbmController& controller, HbmTick now,
                Picoseconds clock);

}  // namespace reticle
