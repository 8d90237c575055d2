// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace reticle {

/// Ordinary kriging in a moving neighbourhood: the value at a point as the best linear unbiased
/// combination of nearby samples, and the standard error of it. Covariance falls with distance as
/// Matern's of order 3/2; samples carry noise, told from samples that lie close together.
/// [N. Cressie, Statistics for Spatial Data, 1993, ch. 3; Rasmussen and Williams, Gaussian
/// Processes for Machine Learning, 2006, ch. 4.2]
class Kriging {
 public:
  static constexpr std::size_t kDimensions = 9;   ///< coordinates of a step
  using Point = std::array<double, kDimensions>;  ///< in correlation lengths

  /// Of a sample in an estimate; the weights of one sum to 1.
  struct Weight {
    std::size_t sample = 0;  ///< in the order added
    double weight = 0;
  };
  struct Estimate {
    double value = 0;
    double standard_error = 0;    ///< of the mean at the point: noise of its own not included
    std::vector<Weight> weights;  ///< nearest sample first
  };

  /// `deviation`: of values far apart, in their unit.
  explicit Kriging(double deviation) : variance_{deviation * deviation} {}

  /// Values all but at one point become one sample, their mean. Returns which sample it went to.
  std::size_t add(const Point& point, double value);
  [[nodiscard]] double values_of(std::size_t sample) const { return samples_[sample].count; }
  [[nodiscard]] std::size_t size() const { return samples_.size(); }
  /// Without any sample the standard error is infinite.
  [[nodiscard]] Estimate at(const Point& point) const;
  /// Variance of a single value about the mean at its point.
  [[nodiscard]] double noise() const;

 private:
  struct Sample {
    Point point{};
    double value = 0;  ///< mean
    double count = 1;
  };
  struct Near {
    double distance2;
    std::size_t sample;
  };
  /// What one estimate leaves to the next, whose point is close by as a rule. No result depends on
  /// it.
  struct Kept {
    Point anchor{};
    std::vector<std::size_t> candidates;  ///< nearest to the anchor
    double reach = 0;                     ///< all others are at least as far from it; 0: none kept
    std::vector<std::size_t> neighbours;  ///< of the last estimate, ascending
    std::vector<double> factor, ones;     ///< of the covariances between these
  };
  [[nodiscard]] std::vector<Near> nearest(const Point& point) const;
  [[nodiscard]] std::vector<Near> nearest_kept(const Point& point) const;
  void keep_factor(const std::vector<std::size_t>& neighbours) const;
  [[nodiscard]] double covariance(double distance) const;

  const double variance_;
  std::vector<Sample> samples_;
  double pair_squares_ = 0;  ///< of differences of neighbours, as if of single values
  double pairs_ = 0;
  mutable Kept kept_;  ///< until a sample is added
};

}  // namespace reticle
