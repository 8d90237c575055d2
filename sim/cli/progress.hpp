// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "sim/engine/run.hpp"

namespace reticle {

/// A line on standard error that shows how far a run is; silent unless that is a terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(const RunProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;
  const bool terminal_;
  bool shown_ = false;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point next_ = begun_ + std::chrono::milliseconds{500};  ///< short runs show none
};

}  // namespace reticle
