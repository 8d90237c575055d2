// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/error_figures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/metrics/statistics.hpp"

namespace reticle {

double relative_error(double simulated, double measured) {
  invariant(measured > 0, "what was measured is more than nothing");
  return simulated / measured - 1;
}

std::optional<ErrorFigures> error_figures(std::span<const double> errors) {
  if (errors.empty()) return std::nullopt;
  std::vector<double> sorted{errors.begin(), errors.end()};
  std::ranges::sort(sorted);  // also fixes the order of the sums
  const double signed_sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  for (double& e : sorted) e = std::abs(e);
  std::ranges::sort(sorted);
  const auto n = static_cast<double>(sorted.size());
  return ErrorFigures{.count = static_cast<std::int64_t>(sorted.size()),
                      .mape = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n,
                      .median = percentile(sorted, 50),
                      .p90 = percentile(sorted, 90),
                      .bias = signed_sum / n};
}

}  // namespace reticle
