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
  Bytes near_read{};                ///< of these, from SRAM beside home
  std::int64_t attention_macs = 0;  ///< of all layers
  Bytes adapters_read{};            ///< likewise
  std::int64_t adapter_macs = 0;    ///< likewise
};

/// A step's counts and shares of its time without what is known of it beforehand, so that profiles
/// of neighbouring steps can be averaged: counts that follow tokens, time or HBM bytes stand as
/// ratios to them; cached keys and values, adapters and the products of both, known exactly, are
/// taken off.
/// Refreshes are in no profile: memories count those of the time since they were last used, so the
/// next simulated step has them.
class StepProfile {
 public:
  /// `attention`, `adapters`: the formats of their products; `levels`: of the fabric.
  StepProfile(Tier kv_tier, Precision attention, Precision adapters, std::size_t levels)
      : kv_tier_{kv_tier}, attention_{attention}, adapters_{adapters}, levels_{levels} {}

  [[nodiscard]] std::vector<double> of(const StepOutcome& outcome, const StepScale& scale) const;
  /// The outcome that has such a profile. Its roofline is not filled in.
  [[nodiscard]] StepOutcome outcome(const std::vector<double>& profile,
                                    const StepScale& scale) const;

 private:
  /// The bytes that are known of a step beforehand, added or taken off; likewise the products.
  void add_bytes(EventCounts& counts, const StepScale& scale, std::int64_t sign) const;
  void add_macs(EventCounts& counts, const StepScale& scale, std::int64_t sign) const;

  Tier kv_tier_;
  Precision attention_, adapters_;
  std::size_t levels_;
};

}  // namespace reticle
