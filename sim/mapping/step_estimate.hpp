// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/mapping/collectives.hpp"

namespace reticle {

/// The time of a step without simulating it, for comparing plans: one pass over the programs that
/// the silicon would run.
///
/// Models:     units in program order, side by side; streaming operands; staging space; launches;
///             an exchange that begins when its last participant has joined.
/// Leaves out: whatever depends on who else is there: banks, rows and refresh (memories give their
///             peak behind their latency), exchanges on one link, participants that go on early.
class StepEstimate {
 public:
  /// Keeps a reference: `platform` must outlive the object.
  explicit StepEstimate(const PlatformSpec& platform);

  Picoseconds time_of_step(const StepPrograms& step);

 private:
  struct Done {
    Picoseconds first{}, end{};
  };
  struct Staged {
    std::int32_t consumer;
    std::int64_t bytes;
  };
  /// A die part of the way through its program.
  struct DieState {
    std::size_t next = 0;  ///< instruction
    std::vector<Done> done;
    std::array<Picoseconds, kUnitCount> free{};
    std::deque<Staged> staged;
    std::int64_t staging_used = 0;
    Picoseconds staging_free{};
  };

  void find_twins(const StepPrograms& step);
  void run_to_exchange(const Program& program, DieState& die);
  [[nodiscard]] Picoseconds ready(const Instruction& in, DieState& die, Picoseconds& stream) const;
  Done transfer(const Instruction& in, DieState& die, Picoseconds at) const;
  Done compute(const Program& program, const Instruction& in, DieState& die, Picoseconds at,
               Picoseconds stream) const;

  const PlatformSpec& platform_;
  const Collectives collectives_;
  std::array<BytesPerSecond, kTierCount> rate_{};
  std::array<Picoseconds, kTierCount> latency_{};
  std::vector<DieState> dies_;
  std::vector<std::size_t> twin_of_;  ///< by die, the first that does the same
  std::unordered_map<const Exchange*, Picoseconds> exchange_time_;  ///< of the step at hand
};

}  // namespace reticle
