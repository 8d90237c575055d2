// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "sim/base/precision.hpp"
#include "sim/engine/step_executor.hpp"

namespace reticle {

/// What is known of a step beforehand, and by what its counts grow.
struct StepScale {
  double tokens = 1;
  double seconds = 0;               ///< closed form
  Bytes cache_read{};               ///< of all layers, windows and states included
  std::int64_t attention_macs = 0;  ///< of all layers
};

/// A step's counts and shares of its time without what is known of it beforehand, so that profiles
/// of neighbouring steps can be averaged: counts that follow tokens, time or HBM bytes stand as
/// ratios to them; cached keys and values and attention's products, known exactly, are taken off.
/// Refreshes are in no profile: memories count those of the time since they were last used, so the
/// next simulated step has them.
class StepProfile {
 public:
  /// `attention`: the format of its products; `levels`: of the fabric.
  StepProfile(Tier kv_tier, Precision attention, std::size_t levels)
      : kv_tier_{kv_tier}, attention_{attention}, levels_{levels} {}

  [[nodiscard]] std::vector<double> of(const StepOutcome& outcome, const StepScale& scale) const;
  /// The outcome that has such a profile. Its roofline is not filled in.
  [[nodiscard]] StepOutcome outcome(const std::vector<double>& profile,
                                    const StepScale& scale) const;

 private:
  Tier kv_tier_;
  Precision attention_;
  std::size_t levels_;
};

}  // namespace reticle
