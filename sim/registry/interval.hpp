// SPDX-License-Identifier: Apache-2.0
// Arithmetic on ranges, for what is computed rather than simulated [Moore, Interval Analysis,
// 1966]. All ranges are positive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

struct Interval {
  double low = 0, high = 0;
};

enum class IntervalOp : std::uint8_t { Sum, Product, Quotient };

/// A named range: an input with its source, or what an operation makes of earlier ones.
struct IntervalStep {
  std::string name, unit;
  std::string source;           ///< of an input
  Interval range;               ///< of an input; of a step once worked out
  IntervalOp op{};              ///< of a step
  std::vector<std::string> of;  ///< of a step; empty: an input
  SourcePosition at;
};

/// A range that others state for one of the steps.
struct StatedInterval {
  std::string name;
  Interval range;
  std::string source;
};

struct Arithmetic {
  std::vector<IntervalStep> steps;  ///< inputs first
  std::vector<StatedInterval> stated;

  [[nodiscard]] const IntervalStep* find(const std::string& name) const;
};

/// Fills the ranges of all steps, in order. Throws ConfigError where one names what is not there.
void work_out(Arithmetic& arithmetic);

}  // namespace reticle
