// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/die/die_spec.hpp"
#include "models/program/program.hpp"

namespace reticle {

class Sequencer;

/// One instruction on the unit that ran it.
struct UnitSlice {
  Unit unit{};
  std::int32_t instruction = 0;
  /// From when the unit was taken to when the last data or result came; an exchange from the time
  /// the die joined it. Of arrays and vector lanes, whose results drain beside what follows, to the
  /// next one's begin at the latest.
  Picoseconds begin{}, end{};
  /// Of arrays and vector lanes: within that, the time they worked, waiting for operands left out.
  Picoseconds busy{};
  bool operator==(const UnitSlice&) const = default;
};

/// Multiply-accumulates of an instruction of the MAC array.
std::int64_t macs_of(const Program& program, const Instruction& in);

/// What the units of a die did in the step that `sequencer` has finished, unit by unit, each in the
/// order of its program. `begun`: the start of the step.
std::vector<UnitSlice> unit_slices(const Sequencer& sequencer, const DieParams& die,
                                   Picoseconds begun);

}  // namespace reticle
