// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/hbm/bus_timeline.hpp"
#include "models/hbm/hbm_geometry.hpp"
#include "models/hbm/open_row_time.hpp"
#include "models/hbm/refresh_clock.hpp"
#include "models/memory/memory_spec.hpp"

namespace reticle {

/// One HBM pseudo-channel and its controller at transaction level: a run of bytes is placed on the
/// data bus and the activate window as a whole, whatever its length; bank, bus and refresh state
/// are kept where runs begin and end.
///
/// Models:     row hits and misses of the first rows a run meets, bank recovery, activate window,
///             a controller's window of bursts it sees ahead, later runs that fill the bus while an
///             earlier one waits for its bank, columns of one bank group, drains of the write
///             queue, all-bank and per-bank refresh; counts of commands, and how long rows are
///             open.
/// Leaves out: the order of commands within a run; a run already placed is not taken apart by one
///             asked for later (docs/models/hbm.md).
class HbmRunModel {
 public:
  explicit HbmRunModel(const HbmParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at);
  [[nodiscard]] MemoryStats stats() const;

 private:
  static constexpr std::int64_t kClosed = -1;
  static constexpr Picoseconds kLongAgo{-1'000'000'000};
  static constexpr Picoseconds kNever{std::numeric_limits<std::int64_t>::max()};
  struct Bank {
    std::int64_t row = kClosed;
    Picoseconds opened{};     ///< its activate
    Picoseconds act_ready{};  ///< tRC since the last activate
    Picoseconds pre_ready{};  ///< tRAS, tRTP, tWR
    std::uint64_t seen = 0;   ///< number of the last Sweep taken into account
    Picoseconds used{};       ///< its last data, for refresh
  };
  /// A run that passed through every bank; banks take it into account when they are next looked at.
  struct Sweep {
    bool closes = false;  ///< pieces lay anywhere: no row is known to be open
    Picoseconds begin{};  ///< of the run's data
    Picoseconds end{};
    Picoseconds visit{};      ///< from one visit to the next, refresh shared out
    HbmGeometry::Walk last;   ///< visit,
    std::int64_t member = 0;  ///< and its bank of the set
    Access kind = Access::Read;
  };
  /// Bursts that have been placed, for when later ones come into the controller's sight.
  struct Served {
    std::int64_t end = 0;  ///< bursts up to here
    std::int64_t bursts = 0;
    Picoseconds first{}, last{};  ///< their column commands
  };
  /// A row a run needs early, `after` its first data.
  struct FirstRow {
    std::int64_t set = 0, member = 0;  ///< counted from the run's first set
    Picoseconds after{};
    Picoseconds wait{};    ///< for the refresh of its bank
    std::size_t bank = 0;  ///< index, and
    std::int64_t row = 0;  ///< row, of the run at hand
  };
  static constexpr std::size_t kFirstRows = 8;  ///< two sets of four
  /// The rows of a run when it begins: open since an earlier one, opened in time, opening one after
  /// the other.
  enum class Rows : std::uint8_t { Open, Ready, Opening };
  /// What a run asks of the data bus. Depends on its size and on where in a set it begins, no more:
  /// runs of equal shape share one.
  struct Demand {
    std::int64_t bursts = 0;  ///< in all
    std::int64_t visits = 0;  ///< of the contiguous part that comes first
    Picoseconds bus{};        ///< useful time it takes,
    Picoseconds beside{};     ///< and while bursts of the other direction wait
    Picoseconds alone{};      ///< from its first data to its last when nothing else is served
    Picoseconds visit{};      ///< from one visit to the next
    std::int64_t rows = 0;    ///< it walks through, in whole sets
    std::int64_t sets = 0;    ///< it touches
    std::int64_t again = 0;   ///< rows of the bursts in sight, opened again after a refresh
    Picoseconds row{};        ///< bus time of what it takes from one row
    Picoseconds in_first{};   ///< bus time of what lies in its first set
    Picoseconds into{};       ///< bus time from the beginning of its first set
    bool sweeps = false;      ///< comes through every bank
    bool scattered = false;
    Picoseconds open{};  ///< of scattered pieces: banks x time a row is open for them
    std::vector<FirstRow> first_rows;
  };
  struct Shape {
    Access kind = Access::Read;
    std::int64_t bytes = 0, piece = 0, into_set = -1;
    bool operator==(const Shape&) const = default;
  };
  struct Known {
    Shape shape;
    Demand demand;
  };
  /// Shapes remembered, each in one place: a layer's tiles have a dozen.
  static constexpr std::size_t kKnownShapes = 64;
  /// Scattered pieces of one size at saturation.
  struct Pace {
    Picoseconds piece{};
    double activates = 0;
    Picoseconds open{};  ///< banks x time a row is open for it
  };

  /// Burst to burst when all groups take part.
  struct Paces {
    Picoseconds of_short{}, of_long{};
    Picoseconds beside{};  ///< of long runs while bursts of the other direction wait
  };

  /// When the rows of a run's first set can give data, ascending; those of the earliest eight.
  struct Ramp {
    std::array<Picoseconds, kFirstRows> from;
    std::size_t count = 0;
    void add(Picoseconds at) {
      std::size_t i = count == from.size() ? count - 1 : count++;
      for (; i > 0 && from[i - 1] > at; --i) from[i] = from[i - 1];
      from[i] = at;
    }
    [[nodiscard]] Picoseconds data(Picoseconds floor, Picoseconds in_group,
                                   Picoseconds apart) const;
  };

  /// Columns in one stack id, or up to the end of a run.
  struct Columns {
    std::int64_t into = 0;  ///< bursts of the first set before them
    std::int64_t bursts = 0;
    Rows rows = Rows::Open;
  };
  /// The run placed last.
  struct LastRun {
    std::int64_t stack = -1;  ///< where it ended; -1: writes, scattered pieces
    std::int64_t first_stack = -1;
    bool crosses = false;  ///< from one stack id, where it opened rows, to the next
    Columns first, last;   ///< in its first stack id; to its end
    Picoseconds end{};
  };
  /// A run that ends later than it was told: who asks after `from` is heard at `until`.
  struct Held {
    Picoseconds from{}, until{};
  };

  /// Valid until the next call.
  Demand& demand_of(const MemoryRun& run);
  void place_piece(Demand& demand, std::int64_t into_set, std::int64_t in_set) const;
  [[nodiscard]] Picoseconds rows_side_by_side(std::int64_t before, std::int64_t bursts) const;
  [[nodiscard]] Demand work_out(const MemoryRun& run, std::int64_t into_set);
  const Pace& pace_of(std::int64_t piece, Access kind);
  [[nodiscard]] Paces stream_columns(Access kind) const;
  [[nodiscard]] std::int64_t side_by_side(Access kind) const;
  [[nodiscard]] Picoseconds spacing(std::int64_t visits) const;
  [[nodiscard]] Picoseconds sight(Access kind, Picoseconds at);
  [[nodiscard]] Picoseconds gone(Access kind, std::int64_t burst) const;
  Bank& bank_at(std::size_t index);
  void catch_up(Bank& bank, std::size_t index) const;
  void leave(Bank& bank, std::int64_t row, Picoseconds first, Picoseconds used, Access kind) const;
  /// Until when the bank is refreshed by itself.
  Picoseconds apply_refresh(Bank& bank, std::size_t index, Picoseconds at);
  [[nodiscard]] Picoseconds refreshed(std::size_t index, Picoseconds at) const;
  [[nodiscard]] Picoseconds refreshed_end(const MemoryRun& run, const Demand& demand,
                                          Picoseconds begin, Picoseconds end) const;
  /// Earliest data of the run's first visit, rows opened where they must be.
  Picoseconds open_first(const MemoryRun& run, Demand& demand, Picoseconds at);
  Picoseconds open_rows(Picoseconds at, Picoseconds earliest, std::int64_t count);
  void list_first_rows(Demand& demand, std::int64_t in_set) const;
  Picoseconds columns(const Demand& demand, Picoseconds data);
  [[nodiscard]] bool stays_queued(const MemoryRun& run, const Demand& demand) const;
  AccessTiming queue(const MemoryRun& run, const Demand& demand, Picoseconds accepted);
  Picoseconds turn(Access kind, Picoseconds seen);
  void lose_rows(const MemoryRun& run, const Demand& demand);
  [[nodiscard]] Picoseconds open_queued(Picoseconds at);
  AccessTiming answer(const MemoryRun& run, Picoseconds at);
  AccessTiming serve(const MemoryRun& run, Demand& demand, Picoseconds accepted,
                     Picoseconds commands, Picoseconds data);
  [[nodiscard]] Picoseconds last_gap(std::int64_t begin, std::int64_t bursts, Rows rows) const;
  bool straggles(const Columns& run);
  BusTimeline::Slot take_bus(const Demand& demand, Picoseconds data, Picoseconds bus);
  [[nodiscard]] Picoseconds switch_stacks(const MemoryRun& run, const Demand& demand,
                                          Picoseconds data) const;
  void hold_back(const MemoryRun& run, const Demand& demand, Picoseconds data, Picoseconds begin,
                 Picoseconds end);
  AccessTiming place(const MemoryRun& run, const Demand& demand, Picoseconds accepted,
                     Picoseconds data);
  void settle(const MemoryRun& run, const Demand& demand, Picoseconds begin, Picoseconds end);
  /// Open rows over the run: of a set's bank it visits, and of a sweep as a whole.
  void hold_row(std::size_t index, std::int64_t row, Picoseconds activate, Picoseconds needed,
                Picoseconds used);
  void hold_swept_rows(const MemoryRun& run, const Demand& demand, std::int64_t first,
                       Picoseconds begin, Picoseconds end);
  void close_behind(Bank& bank, Access kind, Picoseconds at) const;
  [[nodiscard]] Picoseconds opened_ahead(Access kind) const;

  const HbmParams params_;
  const HbmTiming t_{params_.timing};
  const HbmGeometry geometry_;
  const RefreshClock refresh_;
  const std::int64_t visits_of_set_;
  const std::int64_t sight_visits_;       ///< visits a full read queue covers
  const std::int64_t columns_of_visits_;  ///< visits whose columns are served side by side
  const std::array<Paces, 2> columns_;    ///< reads, writes
  const Picoseconds column_;              ///< of short reads
  const std::int64_t drain_;          ///< writes the queue gathers before it turns the bus, bursts
  const std::int64_t left_behind_;    ///< writes a drain leaves in the queue, bursts
  const Picoseconds reads_in_sight_;  ///< bus time of a full read queue
  const Picoseconds set_time_;        ///< data of a set at full rate
  std::vector<Bank> banks_;           ///< by index in the geometry's walk
  std::vector<Known> known_;
  std::vector<BusTimeline> groups_;  ///< columns of one bank group, tCCD_L apart; useful time
  Sweep sweep_;
  std::uint64_t sweeps_ = 0;
  BusTimeline bus_;                           ///< useful time of data
  BusTimeline activates_;                     ///< commands, tRRD apart and four in tFAW
  std::int64_t activated_ = 0;                ///< in the window of four under way
  std::array<std::deque<Served>, 2> served_;  ///< reads, writes
  std::array<std::int64_t, 2> bursts_{};
  Access direction_ = Access::Read;
  bool beside_ = false;  ///< bursts of the other direction wait
  /// Of reads and writes: bus time of what waits, its rows open, for the bus to turn back; and the
  /// set of banks the last one was in.
  std::array<Picoseconds, 2> waiting_{};
  std::array<std::int64_t, 2> last_set_{};
  Picoseconds data_from_{};        ///< no data of this direction before
  Picoseconds late_{};             ///< data of the run's rows in banks under refresh,
  Picoseconds later_{};            ///< data of its rows behind the first set
  bool opens_ = false;             ///< the run opens rows
  bool opens_first_ = false;       ///< in its first set
  std::int64_t late_rows_ = 0;     ///< which are so many
  std::vector<MemoryRun> queued_;  ///< writes whose rows wait for the next drain
  std::int64_t queued_bursts_ = 0;
  std::map<std::pair<std::int64_t, Access>, Pace> paces_;
  std::int64_t refreshes_seen_ = 0;
  OpenRowTime open_;
  const Picoseconds switch_;  ///< bus time lost from one stack id to another
  const std::int64_t sets_of_stack_;
  LastRun before_;
  /// What straggles() found; a channel's history has many copies of it.
  std::shared_ptr<std::unordered_map<std::int64_t, bool>> straggling_ =
      std::make_shared<std::unordered_map<std::int64_t, bool>>();
  Held held_{.from = kNever, .until = {}};
  Picoseconds last_data_{};
  MemoryStats stats_;
};

}  // namespace reticle
