// SPDX-License-Identifier: Apache-2.0
// Latency statistics of a run, and the arithmetic that makes printed parts add up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/metrics/run_result.hpp"

namespace reticle {

struct Distribution {
  std::int64_t count = 0;
  double mean = 0, p50 = 0, p95 = 0, p99 = 0;
};

/// Nearest rank: the least value with at least `percent` % of all values at or below it.
/// `sorted` ascending and not empty, 0 < percent <= 100.
double percentile(std::span<const double> sorted, int percent);

/// Absent when there is no value. Does not depend on the values' order.
std::optional<Distribution> distribution(std::vector<double> values);

/// Milliseconds, over the requests that came that far.
struct Latencies {
  std::optional<Distribution> ttft_ms;  ///< arrival to first token, queueing included
  std::optional<Distribution> tpot_ms;  ///< (finish - first token) / (tokens - 1), from 2 tokens on
  std::optional<Distribution> e2e_ms;   ///< arrival to last token
};
Latencies latencies(std::span<const RequestRecord> requests);

/// Time per output token after the first; absent below two tokens or before the end.
std::optional<double> tpot_picoseconds(const RequestRecord& request);

/// Whole numbers in proportion to `parts` (>= 0, finite) that sum to exactly `total`, by largest
/// remainder; ties go to the earlier part. All 0 when the parts are.
std::vector<std::int64_t> apportion(std::span<const double> parts, std::int64_t total);

}  // namespace reticle
