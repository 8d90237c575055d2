// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Errors of audited steps, weighted so that their mean is that of all recalled time: a step of
/// `seconds` that was drawn with `chance` stands for seconds / chance of it (the estimator of
/// Hansen and Hurwitz, Annals of Mathematical Statistics 14(4), 1943).
class AuditLog {
 public:
  void add(double error, double seconds, double chance) {
    const double weight = seconds / chance;
    ++count_;
    weights_ += weight;
    errors_ += weight * error;
    abs_errors_ += weight * std::abs(error);
    square_weights_ += weight * weight;
    weighted_ += weight * weight * error;
    squares_ += weight * weight * error * error;
    largest_ = std::max(largest_, std::abs(error));
  }

  [[nodiscard]] AuditFigures figures() const {
    if (count_ == 0) return {};
    const double mean = errors_ / weights_;
    // Of a ratio of sums, to first order; the factor is Bessel's.
    const double spread = squares_ - 2 * mean * weighted_ + mean * mean * square_weights_;
    const auto n = static_cast<double>(count_);
    const double bessel = count_ > 1 ? n / (n - 1) : 1;
    return {.audits = count_,
            .mean_error = mean,
            .standard_error = std::sqrt(std::max(0.0, spread * bessel)) / weights_,
            .mean_abs_error = abs_errors_ / weights_,
            .max_abs_error = largest_};
  }

 private:
  std::int64_t count_ = 0;
  double weights_ = 0, errors_ = 0, abs_errors_ = 0;
  double square_weights_ = 0, weighted_ = 0, squares_ = 0;  ///< sums of w^2, w^2 e, w^2 e^2
  double largest_ = 0;
};

}  // namespace reticle
