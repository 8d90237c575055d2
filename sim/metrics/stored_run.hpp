// SPDX-License-Identifier: Apache-2.0
// The counts of a finished run, to be priced as often as wanted without simulating again.
#pragma once

#include <memory>
#include <string_view>

#include "sim/accounts/cost.hpp"
#include "sim/accounts/energy.hpp"

namespace reticle {

struct PricedFigures {
  EnergyReport energy;
  CostReport cost;
  std::int64_t output_tokens = 0;
};

class StoredRun {
 public:
  /// Reads the report.json of a finished run. Throws ConfigError for anything else.
  explicit StoredRun(std::string_view report);
  ~StoredRun();
  StoredRun(StoredRun&&) noexcept;

  /// `platform` must be of the run's shape.
  [[nodiscard]] PricedFigures price(const PlatformSpec& platform) const;

 private:
  struct Counts;
  std::unique_ptr<const Counts> counts_;
};

}  // namespace reticle
