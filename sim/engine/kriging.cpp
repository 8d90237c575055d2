// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/kriging.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace reticle {

namespace {
/// More neighbours say little more: those in front screen them [Cressie 1993, section 3.2].
constexpr std::size_t kNeighbours = 16;
/// Nearest samples of one point among which those of points close by are looked for.
constexpr std::ptrdiff_t kCandidates = 64;
constexpr double kSame = 0.01;   // chosen, in correlation lengths: within, values become one sample
constexpr double kClose = 0.05;  // chosen, likewise: within, differences are noise
/// Of the noise before pairs of samples have told it, and its floor, in shares of the variance: a
/// model without routing still has refresh and rounding.
constexpr double kNoiseFloor = 1e-4;

double distance2(const Kriging::Point& a, const Kriging::Point& b) {
  double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

template <class Near>
bool closer(const Near& a, const Near& b) {
  return a.distance2 != b.distance2 ? a.distance2 < b.distance2 : a.sample < b.sample;
}

/// The lower factor L of a symmetric positive definite matrix, in place: A = L L^T.
void factor(std::vector<double>& a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
}

/// x with L L^T x = b.
std::vector<double> solve(const std::vector<double>& l, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= l[i * n + k] * b[k];
    b[i] /= l[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= l[k * n + i] * b[k];
    b[i] /= l[i * n + i];
  }
  return b;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
}  // namespace

double Kriging::covariance(double distance) const {
  constexpr double kMatern = 3;  // twice its order of 3/2 [Rasmussen and Williams 2006, 4.17]
  const double r = std::sqrt(kMatern) * distance;
  return variance_ * (1 + r) * std::exp(-r);
}

double Kriging::noise() const {
  const double floor = kNoiseFloor * variance_;
  return pairs_ > 0 ? std::max(floor, pair_squares_ / pairs_) : floor;
}

namespace {
/// The nearest kNeighbours first, in order; equal ones by number.
template <class Near>
void take_nearest(std::vector<Near>& all) {
  const auto kept = static_cast<std::ptrdiff_t>(std::min(kNeighbours, all.size()));
  std::partial_sort(all.begin(), all.begin() + kept, all.end(), closer<Near>);
  all.resize(static_cast<std::size_t>(kept));
}
}  // namespace

/// Those near the anchor; none where others may be nearer.
std::vector<Kriging::Near> Kriging::nearest_kept(const Point& point) const {
  std::vector<Near> all;
  if (kept_.reach == 0) return all;
  all.reserve(kept_.candidates.size());
  for (const std::size_t i : kept_.candidates)
    all.push_back({distance2(samples_[i].point, point), i});
  take_nearest(all);
  // By the triangle inequality the others are no nearer than `reach` less the way from the anchor.
  const double way = std::sqrt(distance2(kept_.anchor, point));
  if (std::sqrt(all.back().distance2) + way >= kept_.reach) all.clear();
  return all;
}

std::vector<Kriging::Near> Kriging::nearest(const Point& point) const {
  if (auto all = nearest_kept(point); !all.empty()) return all;
  std::vector<Near> all(samples_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = {distance2(samples_[i].point, point), i};
  if (std::ssize(all) > kCandidates) {
    std::nth_element(all.begin(), all.begin() + kCandidates, all.end(), closer<Near>);
    kept_.anchor = point;
    kept_.reach = std::sqrt(all[kCandidates].distance2);
    kept_.candidates.clear();
    all.resize(kCandidates);
    for (const Near& near : all) kept_.candidates.push_back(near.sample);
  }
  take_nearest(all);
  return all;
}

std::size_t Kriging::add(const Point& point, double value) {
  const std::vector<Near> near = nearest(point);
  kept_.reach = 0;
  kept_.neighbours.clear();
  if (!near.empty() && near.front().distance2 < kClose * kClose) {
    Sample& closest = samples_[near.front().sample];
    const double difference = value - closest.value;
    // The difference to a mean of n has (1 + 1/n) times the variance of a single value.
    pair_squares_ += difference * difference / (1 + 1 / closest.count);
    ++pairs_;
    if (near.front().distance2 < kSame * kSame) {
      closest.value += difference / ++closest.count;
      return near.front().sample;
    }
  }
  samples_.push_back({point, value});
  return samples_.size() - 1;
}

/// Of the covariances between samples, noise included.
void Kriging::keep_factor(const std::vector<std::size_t>& neighbours) const {
  const std::size_t n = neighbours.size();
  std::vector<double> between(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    const Sample& at = samples_[neighbours[i]];
    for (std::size_t j = 0; j < i; ++j)
      between[i * n + j] =
          covariance(std::sqrt(distance2(at.point, samples_[neighbours[j]].point)));
    between[i * n + i] = variance_ + noise() / at.count;
  }
  factor(between, n);
  kept_.neighbours = neighbours;
  kept_.factor = std::move(between);
  kept_.ones = solve(kept_.factor, std::vector<double>(n, 1));
}

Kriging::Estimate Kriging::at(const Point& point) const {
  Estimate out;
  const std::vector<Near> near = nearest(point);
  const std::size_t n = near.size();
  if (n == 0) {
    out.standard_error = std::numeric_limits<double>::infinity();
    return out;
  }
  std::vector<std::size_t> neighbours(n);
  for (std::size_t i = 0; i < n; ++i) neighbours[i] = near[i].sample;
  std::ranges::sort(neighbours);
  if (neighbours != kept_.neighbours) keep_factor(neighbours);
  const auto place_of = [&](std::size_t sample) {
    return static_cast<std::size_t>(std::ranges::lower_bound(neighbours, sample) -
                                    neighbours.begin());
  };
  std::vector<double> to_point(n);
  for (const Near& one : near)
    to_point[place_of(one.sample)] = covariance(std::sqrt(one.distance2));
  const std::vector<double> simple = solve(kept_.factor, to_point);
  const std::vector<double>& ones = kept_.ones;
  // The mean is not known: the weights are held to a sum of 1, which costs some variance.
  double sum_simple = 0, sum_ones = 0;
  for (std::size_t i = 0; i < n; ++i) sum_simple += simple[i], sum_ones += ones[i];
  const double multiplier = (1 - sum_simple) / sum_ones;
  const double error = variance_ - dot(simple, to_point) + (1 - sum_simple) * multiplier;
  out.standard_error = std::sqrt(std::max(0.0, error));
  out.weights.reserve(n);
  for (const Near& one : near) {
    const std::size_t i = place_of(one.sample);
    const double weight = simple[i] + multiplier * ones[i];
    out.weights.push_back({one.sample, weight});
    out.value += weight * samples_[one.sample].value;
  }
  return out;
}

}  // namespace reticle
