// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace reticle {

LengthModel fit_empirical(const LengthHistogram& lengths) {
  constexpr int kPoints = 200;
  LengthModel model;
  model.table.push_back({0.0, static_cast<double>(lengths.percentile(0.0))});
  for (int i = 1; i < kPoints; ++i)
    model.table.push_back({static_cast<double>(i) / kPoints,
                           static_cast<double>(lengths.percentile(100.0 * i / kPoints))});
  model.table.push_back({0.999, static_cast<double>(lengths.percentile(99.9))});
  model.table.push_back({1.0, static_cast<double>(lengths.max())});
  return model;
}

LengthModel fit_mixture(const LengthHistogram& lengths, int parts) {
  constexpr int kRounds = 200;
  constexpr double kLeastSigma = 0.01;
  std::vector<std::pair<double, double>> points;  // logarithm, count
  lengths.each([&](std::int64_t length, std::int64_t count) {
    points.emplace_back(std::log(static_cast<double>(length)), static_cast<double>(count));
  });
  const auto all = static_cast<double>(lengths.count());
  LengthModel model{.maximum = lengths.max()};
  for (int k = 0; k < parts; ++k) {
    const auto middle = lengths.percentile(100.0 * (k + 0.5) / parts);
    model.mixture.push_back({1.0 / parts, std::log(static_cast<double>(middle)), 0.7});
  }
  std::vector<double> share(model.mixture.size());
  for (int round = 0; round < kRounds; ++round) {
    std::vector<LognormalPart> sums(model.mixture.size());
    for (const auto& [x, count] : points) {
      double total = 1e-300;
      for (std::size_t k = 0; k < share.size(); ++k) {
        const LognormalPart& part = model.mixture[k];
        const double z = (x - part.mu) / part.sigma;
        total += share[k] = part.weight / part.sigma * std::exp(-0.5 * z * z);
      }
      for (std::size_t k = 0; k < share.size(); ++k) {
        const double weight = count * share[k] / total;
        sums[k].weight += weight;
        sums[k].mu += weight * x;
        sums[k].sigma += weight * x * x;
      }
    }
    for (std::size_t k = 0; k < share.size(); ++k) {
      LognormalPart& part = model.mixture[k];
      if (sums[k].weight <= 0.0) continue;
      part.mu = sums[k].mu / sums[k].weight;
      part.sigma = std::sqrt(
          std::max(sums[k].sigma / sums[k].weight - part.mu * part.mu, kLeastSigma * kLeastSigma));
      part.weight = sums[k].weight / all;
    }
  }
  double sum = 0.0;
  for (const LognormalPart& part : model.mixture) sum += part.weight;
  for (LognormalPart& part : model.mixture) part.weight /= sum;
  return model;
}

namespace {

constexpr std::array<double, 3> kCompared{50, 95, 99};  // percentiles users compare

/// One lognormal for each band of ranks, with the mean and deviation of the logarithms there; the
/// compared percentiles lie in the middle of theirs.
LengthModel fit_bands(const LengthHistogram& lengths) {
  constexpr std::array<double, 21> kEdges{0,     0.05, 0.15, 0.25,  0.35,  0.45,  0.49,
                                          0.51,  0.55, 0.65, 0.75,  0.85,  0.92,  0.945,
                                          0.955, 0.97, 0.98, 0.988, 0.992, 0.997, 1};
  constexpr double kLeastSigma = 0.002;
  std::vector<LognormalPart> sums(kEdges.size() - 1);
  const auto all = static_cast<double>(lengths.count());
  double begin = 0.0;  // ranks below this length
  std::size_t band = 0;
  lengths.each([&](std::int64_t length, std::int64_t count) {
    const double x = std::log(static_cast<double>(length));
    const double end = begin + static_cast<double>(count);
    while (begin < end) {
      while (band + 1 < sums.size() && begin >= kEdges[band + 1] * all) ++band;
      const double upto = band + 1 < sums.size() ? std::min(end, kEdges[band + 1] * all) : end;
      LognormalPart& sum = sums[band];
      sum.weight += upto - begin;
      sum.mu += (upto - begin) * x;
      sum.sigma += (upto - begin) * x * x;
      begin = upto;
    }
  });
  LengthModel model{.maximum = lengths.max()};
  for (const LognormalPart& sum : sums) {
    if (sum.weight <= 0.0) continue;
    const double mu = sum.mu / sum.weight;
    const double variance = sum.sigma / sum.weight - mu * mu;
    model.mixture.push_back(
        {sum.weight / all, mu, std::sqrt(std::max(variance, kLeastSigma * kLeastSigma))});
  }
  return model;
}

/// The furthest miss among the compared percentiles, as a share.
double furthest_miss(const LengthModel& model, const LengthHistogram& lengths) {
  const std::vector<QuantilePoint> table = quantile_table(model);
  double miss = 0.0;
  for (const double percent : kCompared) {
    const auto wanted = static_cast<double>(lengths.percentile(percent));
    const double made = std::max(std::round(table_value(table, percent / 100.0)), 1.0);
    miss = std::max(miss, std::abs(made / wanted - 1.0));
  }
  return miss;
}

}  // namespace

LengthModel fit_near_mixture(const LengthHistogram& lengths) {
  constexpr double kNear = 0.02;
  LengthModel few = fit_mixture(lengths);
  if (furthest_miss(few, lengths) <= kNear) return few;
  return fit_bands(lengths);
}

GeneratorParams fit_requests(const TraceStatistics& trace, bool mixture) {
  const auto fit = [mixture](const LengthHistogram& lengths) {
    return mixture ? fit_near_mixture(lengths) : fit_empirical(lengths);
  };
  return {.kind = "chat",
          .requests = trace.requests(),
          .rate_per_s = trace.rate().value_or(1.0),
          .arrival_cv = std::min(trace.gap_cv().value_or(1.0), 100.0),
          .input = fit(trace.input()),
          .output = fit(trace.output()),
          .exact = true};
}

}  // namespace reticle
