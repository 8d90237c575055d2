// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "sim/metrics/run_result.hpp"

namespace reticle {

/// What an instance did over time, in spans of whole steps. There are at most `most` of them: when
/// they are that many each two become one, and those that follow are as long. Sums are kept.
class ActivityLog {
 public:
  explicit ActivityLog(std::size_t most) : most_{most} {}

  /// A step that counted `counts` (those of `step` are not looked at), and the idle time before it.
  /// `step.begun` is where the last one ended.
  void add(ActivitySpan step, const EventCounts& counts);

  [[nodiscard]] const std::vector<ActivitySpan>& spans() const { return spans_; }

 private:
  void halve();

  std::size_t most_;
  Picoseconds length_{};  ///< a span shorter than this takes in what follows
  std::vector<ActivitySpan> spans_;
};

/// Puts an idle span wherever one instance's `spans` leave time out between 0 and `end`.
void fill_gaps(std::vector<ActivitySpan>& spans, Picoseconds end);

}  // namespace reticle
