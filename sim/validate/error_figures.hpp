// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace reticle {

/// How far simulated values lie from measured ones.
struct ErrorFigures {
  std::int64_t count = 0;
  double mape = 0;    ///< mean of |error|
  double median = 0;  ///< of |error|, nearest rank
  double p90 = 0;     ///< of |error|, nearest rank
  double bias = 0;    ///< mean of error, signed: > 0 where the simulation gives more
};

/// Error of one value: simulated / measured - 1, `measured` > 0.
double relative_error(double simulated, double measured);

/// Of relative errors, in any order; nothing of none.
std::optional<ErrorFigures> error_figures(std::span<const double> errors);

}  // namespace reticle
