// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "models/hbm/hbm_controller.hpp"
#include "models/hbm/hbm_run_bursts.hpp"

namespace reticle {

/// Runs of many requesters on one HbmController, in time: handed over burst by burst, one run after
/// the other in the order in which they are heard, and ended with their last burst. A posted write
/// ends when the controller has taken its last burst.
///
/// Copied, it goes on from where it is: what will happen if nobody asks for more.
class HbmRunQueue {
 public:
  using Id = std::uint32_t;
  static constexpr HbmTick kUnknown = HbmController::kNever;
  struct Request {
    MemoryRun run;
    std::int64_t bursts = 0, pushed = 0, served = 0;
    HbmTick heard = kUnknown;     ///< from when on it is handed over
    HbmTick accepted = kUnknown;  ///< its first burst handed over
    HbmTick first_data = kUnknown;
    HbmTick end = kUnknown;
    HbmTick last_data = 0;  ///< of the bursts served so far
    bool taken_over = false;
  };
  struct End {
    std::uint8_t requester = 0;
    HbmTick at = 0;
  };

  /// Both must outlive the queue and its copies.
  HbmRunQueue(const HbmParams& params, const HbmRunBursts& bursts);

  /// Heard at `at`, or now if that has passed.
  Id ask(const MemoryRun& run, HbmTick at);
  /// Heard `later` after the next end of a run of its requester for which none waits yet, but not
  /// before `at`.
  Id ask_after_end(const MemoryRun& run, HbmTick at, HbmTick later);
  /// Goes on to `until`, and further until all runs heard by then have been handed over. What is
  /// asked for at `until` or later changes nothing of that.
  void settle(HbmTick until);
  /// Goes on until a run's end is known.
  void finish(Id id);
  /// Goes on to the next end of a run of the requester for which none waits; returns it.
  HbmTick go_on_to_end(std::uint8_t requester);
  /// Goes on until what has been handed over is served; returns the end of the last data.
  HbmTick serve();
  /// Goes on until nothing waits.
  void drain();
  /// A run that others have carried and that ends at `end` is handed over for its last bursts, as
  /// many as the controller has in its queue at a time, their rows open. Nothing else may wait in
  /// the controller.
  void take_over(const MemoryRun& run, HbmTick end);

  /// Nobody waits to be heard or to be handed over.
  [[nodiscard]] bool idle() const { return backlog_.empty() && waiting_.empty(); }
  /// Until something is asked for after its last burst.
  [[nodiscard]] const Request& request(Id id) const { return requests_[id]; }
  /// Ends for which no run waited, in their order; the caller takes them off.
  [[nodiscard]] std::vector<End>& ends() { return ends_; }
  [[nodiscard]] HbmTick now() const { return now_; }
  [[nodiscard]] const HbmController& controller() const { return controller_; }

 private:
  struct Waiting {
    Id id = 0;
    HbmTick later = 0;
  };
  Id enter(const MemoryRun& run, HbmTick heard);
  void hear(Id id, HbmTick at);
  void end(Id id, HbmTick at);
  void pass_ends();
  void hand_over(HbmTick horizon);
  HbmTick step(HbmTick horizon);
  /// A run heard by `horizon` has bursts to hand over.
  [[nodiscard]] bool behind(HbmTick horizon) const {
    return !backlog_.empty() && requests_[backlog_.front()].heard <= horizon;
  }

  const HbmRunBursts* bursts_;
  const HbmParams* params_;
  HbmController controller_;
  HbmTick now_ = 0;  ///< no command of this tick has gone
  HbmTick last_data_ = 0;
  std::vector<Request> requests_;
  std::vector<Id> free_;
  std::deque<Id> backlog_;        ///< by the time they are heard
  std::vector<Waiting> waiting_;  ///< in the order in which they were asked for
  std::deque<End> coming_;        ///< ends that are known and lie ahead, ascending
  std::vector<End> ends_;
};

}  // namespace reticle
