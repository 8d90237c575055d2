// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/fit.hpp"

#include <algorithm>
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

GeneratorParams fit_requests(const TraceStatistics& trace, bool mixture) {
  const auto fit = [mixture](const LengthHistogram& lengths) {
    return mixture ? fit_mixture(lengths) : fit_empirical(lengths);
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
