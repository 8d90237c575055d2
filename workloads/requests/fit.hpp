// SPDX-License-Identifier: Apache-2.0
// Parameters of a generator after a trace.
#pragma once

#include "workloads/requests/generator.hpp"
#include "workloads/requests/trace_statistics.hpp"

namespace reticle {

/// A table of 200 quantiles.
LengthModel fit_empirical(const LengthHistogram& lengths);
/// Lognormals by expectation maximisation; the maximum is the trace's.
LengthModel fit_mixture(const LengthHistogram& lengths, int parts = 6);
/// That, unless it misses p50, p95 or p99 by more than 2 %, as the most likely mixture of a thin
/// tail does: then one lognormal for each of 20 bands of ranks.
LengthModel fit_near_mixture(const LengthHistogram& lengths);

/// Independent requests with the trace's lengths, rate and CV of gaps. Prefixes, sessions and what
/// ties input to output are not fitted.
GeneratorParams fit_requests(const TraceStatistics& trace, bool mixture = false);

}  // namespace reticle
