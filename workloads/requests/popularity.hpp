// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reticle {

/// Zipf: numbers 1 to n in proportion to i^-skew, counted from 0. `n` at least 1 when asked.
class Popularity {
 public:
  Popularity(std::int64_t n, double skew) {
    double sum = 0.0;
    for (std::int64_t i = 1; i <= n; ++i)
      sums_.push_back(sum += std::pow(static_cast<double>(i), -skew));
  }
  /// The number at quantile `u`, in [0, 1).
  [[nodiscard]] std::uint32_t at(double u) const {
    const auto at = std::upper_bound(sums_.begin(), sums_.end(), u * sums_.back()) - sums_.begin();
    return static_cast<std::uint32_t>(
        std::min<std::ptrdiff_t>(at, static_cast<std::ptrdiff_t>(sums_.size()) - 1));
  }

 private:
  std::vector<double> sums_;
};

}  // namespace reticle
