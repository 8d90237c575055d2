// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sim/engine/step_executor.hpp"
#include "sim/metrics/run_result.hpp"
#include "sim/thermal/sustained.hpp"

namespace reticle {

/// Follows the power and the temperatures of an instance's packages through simulated time, and
/// sets the clock of all its dies.
///
/// Models:     energy of every step as priced, spread over its time; one network per package,
///             advanced once a period of the controller; the clock one step down while a die is
///             hotter than its limit or a package or the nodes take more than theirs, one up when
///             there is room for it; what hangs on the clock takes longer by as much as it is on
///             the critical path; voltage follows the clock.
/// Leaves out: a clock that changes within a step; clocks of their own for each die, as a step
/// waits
///             for the slowest; work beside the path that a low clock would bring onto it.
class PowerGovernor {
 public:
  /// `platform`: of the instance; with cooling. `kv`: the tier keys and values are read from.
  /// Throws SimulationError where leakage alone finds no steady state.
  PowerGovernor(const PlatformSpec& platform, Tier kv, std::int32_t instance);

  [[nodiscard]] double clock() const { return clock_; }
  /// Nothing was done up to `time`. Throws SimulationError where a die passes its shutdown limit.
  void idle_until(Picoseconds time);
  /// A step that took `outcome.duration` at the full clock and begins where the last call ended:
  /// makes it what it takes at the present one, and returns by how much longer.
  Picoseconds stretch(StepOutcome& outcome);
  /// That step is over; throws as idle_until.
  void worked(const StepOutcome& outcome);
  /// How the energy of a step falls on the dies; evenly before the first call.
  void set_dies(const std::vector<EventCounts>& dies);

  [[nodiscard]] ThermalResult result() const;

 private:
  struct Joules {
    double die = 0, lid = 0, elsewhere = 0;
  };
  [[nodiscard]] Joules joules_of(const EventCounts& counts) const;
  [[nodiscard]] bool clocked(std::size_t category) const;
  /// Up to `time` with these watts of all dies together.
  void pass(Picoseconds time, const Joules& watts);
  void tick();
  void control(double package_w, double node_w);
  void check_shutdown() const;
  void sample(const ThermalSample& sample);

  const PlatformSpec platform_;
  const CoolingParams cooling_;
  const Tier kv_;
  const std::int32_t instance_;
  double leakage_w_ = 0;     ///< of a die, at the reference
  double clock_w_ = 0;       ///< of a die, at the full clock
  double lid_always_w_ = 0;  ///< of a die's stacks
  double always_w_ = 0;      ///< of all packages, that no die sheds
  std::vector<PackageHeat> heats_;
  std::vector<double> shares_;  ///< of the dies in dynamic energy
  double clock_ = 1;
  Picoseconds time_{}, next_tick_{};
  Joules period_;   ///< since the last tick
  Joules nominal_;  ///< of all steps, at the full clock
  Picoseconds clocked_time_{};
  Joules step_;  ///< watts of the step at hand
  ThermalResult result_;
  std::int64_t ticks_ = 0, sample_stride_ = 1;
};

}  // namespace reticle
