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

/// Of durations and how many there are of each, in milliseconds.
std::optional<Distribution> distribution(const DurationCounts& counts);

/// Milliseconds, over the requests that came that far.
struct Latencies {
  std::optional<Distribution> ttft_ms;  ///< arrival to first token, queueing included
  std::optional<Distribution> tpot_ms;  ///< (finish - first token) / (tokens - 1), from 2 tokens on
  std::optional<Distribution> itl_ms;   ///< between one token of a request and the next
  std::optional<Distribution> e2e_ms;   ///< arrival to last token
};
Latencies latencies(const RunResult& result);

/// The requests of one class; itl_ms is not told apart.
struct ClassLatencies {
  std::int64_t priority = 0;
  std::int64_t requests = 0;
  Latencies latency;
};
/// By class; empty when all are of one.
std::vector<ClassLatencies> latencies_by_class(const RunResult& result);

/// Time per output token after the first; absent below two tokens or before the end.
std::optional<double> tpot_picoseconds(const RequestRecord& request);

/// The error that recalled steps bring into the 99th percentile of TPOT, as a share of it: the
/// audits' mean, known to `margin`: two standard errors of it and of the mean over that request's
/// own steps, and what the percentile moves when requests change places, as they do when arrivals
/// fall into other steps. Absent without audits or TPOT.
struct TailError {
  double mean = 0, margin = 0;
};
std::optional<TailError> tpot_p99_error(const RunResult& result);

/// Requests that finished within the limits of `serving`, and what they were given.
struct Goodput {
  std::int64_t requests = 0;       ///< that kept the limits
  std::int64_t output_tokens = 0;  ///< theirs
  double share = 0;                ///< of all requests, rejected ones included
};
/// Absent without a limit, or without a request.
std::optional<Goodput> goodput(const ServingSpec& serving, std::span<const RequestRecord> requests);

/// Whole numbers in proportion to `parts` (>= 0, finite) that sum to exactly `total`, by largest
/// remainder; ties go to the earlier part. All 0 when the parts are.
std::vector<std::int64_t> apportion(std::span<const double> parts, std::int64_t total);

}  // namespace reticle
