// SPDX-License-Identifier: Apache-2.0
// What the ranges of priced constants make of a comparison: the stored counts are priced again,
// nothing is simulated.
//
// Models:     prices of energy and cost, drawn independently within their ranges by a Latin
//             hypercube [McKay, Beckman, Conover, Technometrics 1979].
// Leaves out: constants that decide times, and correlations; the same constant with the same range
//             on two platforms (a price of electricity) is drawn once for both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/compare/comparison.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/metrics/stored_run.hpp"

namespace reticle {

/// A cell with what it takes to price it anew.
struct PricedCell {
  RunSpec spec;
  std::string report;
};
using PricedCells = std::array<std::optional<PricedCell>, kLoadCount>;

/// Inverse of the triangular distribution's cumulative function: from `low` to `high` with its mode
/// at `mode`, which is moved to the nearer end where it lies outside.
double triangular(double u, double low, double mode, double high);

/// `n` numbers between 0 and 1, one in each n-th part, in an order of their own.
std::vector<double> latin_hypercube_column(std::size_t n, std::uint64_t seed,
                                           std::string_view purpose);

Quantiles quantiles_of(std::vector<double> samples);

/// Fills `comparison.uncertainty` and what its tables' own figures lie between. `cells` as the
/// rows.
void add_uncertainty(Comparison& comparison, const std::vector<PricedCells>& cells,
                     std::size_t samples, std::uint64_t seed);

}  // namespace reticle
