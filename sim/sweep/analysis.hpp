// SPDX-License-Identifier: Apache-2.0
// What the points of a sweep say together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/store.hpp"

namespace reticle {

/// How much of the variance of a figure an input explains: alone, and with all it interacts with.
struct SobolIndices {
  std::vector<double> first, total;  ///< per input
  /// Half the width of their 95 % intervals, from resampled rows (bootstrap) [Archer+ 1997].
  std::vector<double> first_margin{}, total_margin{};
};

/// From the rows of Saltelli's matrices: first order by [Saltelli+ CPC'10, table 2 (b)], total by
/// [Jansen CPC'99]. `mixed[i]` is of A with column i of B. All the same length. nullopt where
/// nothing varies, or where there are less than kLeastRows rows: their scatter would pass for a
/// result.
inline constexpr std::size_t kLeastRows = 16;
std::optional<SobolIndices> sobol_indices(const std::vector<double>& a,
                                          const std::vector<double>& b,
                                          const std::vector<std::vector<double>>& mixed);

/// The variance of the means over an input's values, as a share of all variance: first order, for
/// designs whose inputs are independent. nullopt where nothing varies.
std::optional<double> explained_by(const std::vector<std::size_t>& value_of,
                                   const std::vector<double>& figure);

/// Where a rising curve bends: the point furthest above the straight line between its ends, both
/// axes from 0 to 1 [Satopaa+ ICDCSW'11]. nullopt for fewer than three points or no bend.
std::optional<std::size_t> knee_of(const std::vector<double>& x, const std::vector<double>& y);

struct AxisSensitivity {
  std::string key;
  std::optional<double> first, total;
  std::optional<double> first_margin{}, total_margin{};  ///< of their 95 % intervals
  /// Points on the axis, where it does not apply to all that went in; they alone count for it.
  std::optional<std::int64_t> applies_to{};
};
struct ObjectiveSensitivity {
  std::string objective;
  std::string method;     ///< in words
  std::int64_t rows = 0;  ///< of the matrices, or points, that went in
  std::vector<AxisSensitivity> axes;
};

struct SweepAnalysis {
  std::vector<std::int64_t> front;  ///< ids, cheapest first (front_order of best_points.hpp)
  std::vector<std::string> best;    ///< the best point of every objective, in sentences
  std::vector<std::string> notes;   ///< what is missing, and why, in sentences
  std::vector<std::string> knees;   ///< sentences
  std::vector<ObjectiveSensitivity> sensitivity;
};

SweepAnalysis analyse(const SweepSpec& sweep, const std::vector<StoredPoint>& points);

/// All of it and every point, for other programs and the page.
std::string analysis_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                          const SweepAnalysis& analysis, const SweepIdentity& identity);
/// A row per point.
std::string points_csv(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                       const SweepIdentity& identity);
std::string points_json(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                        const SweepIdentity& identity);
/// A page that asks nobody for anything: data, script and style in one file.
std::string analysis_page(const std::string& analysis_json, const std::string& title);

}  // namespace reticle
