// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/hbm/hbm_run_model.hpp"
#include "models/hbm/hbm_run_queue.hpp"
#include "models/hbm/hbm_told_ends.hpp"

namespace reticle {

/// One HBM pseudo-channel in which runs of fewer than `commands_below` bytes contend command by
/// command, and longer ones are placed as a whole.
///
/// Models:     what HbmController does with the short runs of all requesters together, and
///             HbmRunModel with the long ones: a long run begins behind the short ones heard before
///             it, and its last bursts stand in the controller's queue before those heard after it.
///             A run's end is told when it is asked for, as if nobody came after it. What comes
///             delays it all the same: who asks again after an end it was told is heard as long
///             after the real end.
/// Leaves out: an end told is not taken back; a run asked for behind the time reached is heard
///             then.
class HbmContendedModel {
 public:
  explicit HbmContendedModel(const HbmParams& params);
  HbmContendedModel(const HbmContendedModel&) = delete;  // its queues refer to its members
  HbmContendedModel& operator=(const HbmContendedModel&) = delete;

  AccessTiming access(const MemoryRun& run, Picoseconds at);
  [[nodiscard]] MemoryStats stats() const;

 private:
  /// A long run that the queue has not heard of yet.
  struct Ahead {
    MemoryRun run;
    Picoseconds done{};
  };
  [[nodiscard]] Picoseconds time_of(HbmTick tick) const;
  [[nodiscard]] HbmTick tick_at(Picoseconds at) const;
  void settle(HbmTick until);
  HbmToldEnds& told(std::uint8_t requester);
  AccessTiming contend(const MemoryRun& run, Picoseconds at);
  /// When a long run can begin, behind those heard before it, and whether short ones of the other
  /// direction wait then.
  struct Turn {
    Picoseconds at{};
    bool others_wait = false;
  };
  Turn turn_of(const MemoryRun& run, Picoseconds at);
  AccessTiming stream(const MemoryRun& run, Picoseconds at, Turn turn);

  const HbmParams params_;
  const HbmRunBursts bursts_;
  std::unique_ptr<HbmRunQueue> queue_;
  std::unique_ptr<HbmRunQueue> foreseen_;  ///< `queue_` as it goes on if nobody asks for more
  std::vector<HbmToldEnds> told_;          ///< by requester
  std::optional<HbmRunModel> streams_;     ///< once there is a long run
  std::optional<Ahead> ahead_;
  Access last_ = Access::Read;  ///< direction of the run asked for last, and whether bursts of the
  bool others_wait_ = false;    ///< other one wait since before it
  MemoryStats asked_;
};

}  // namespace reticle
