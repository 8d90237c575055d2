// SPDX-License-Identifier: Apache-2.0
// What a sweep was asked: the best point of every objective, and the front as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/sweep/store.hpp"

namespace reticle {

/// A figure as sentences have it: "22,044 tokens/s", "1.6 GB", "0.9415 USD"; bytes are scaled, so
/// that all of a line are in one form.
std::string figure_text(double value, std::string_view unit);
/// The value of an objective by its number (as it was turned: more is better), with its unit.
std::string objective_text(const SweepSpec& sweep, const PointResult& result,
                           std::size_t objective);
/// "workload.batch 64, platform.nodes 2": the values of the axes.
std::string axes_text(const SweepSpec& sweep, const DesignPoint& point);

/// The candidate with the best value of an objective, of equals the one that is better in the
/// others; nullopt where there is no candidate. `results` are in the order of the points.
std::optional<std::size_t> best_of(const std::vector<PointResult>& results, std::size_t objective);

/// A sentence per objective that names its best point, with the point's axes and other objectives;
/// none where no point is a candidate. Of points by the last of the fidelities alone: a bound is
/// no answer.
std::vector<std::string> best_sentences(const SweepSpec& sweep,
                                        const std::vector<StoredPoint>& points,
                                        const std::vector<PointResult>& results);

/// The objective that a front is sorted by: the price of a token or the cost where the sweep has
/// one, cheapest first; else the first one, best first.
std::size_t front_order(const SweepSpec& sweep);

/// Rows of the front, at most `most` of them from end to end, under a head, in columns.
std::string front_table(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                        const std::vector<std::int64_t>& front, std::size_t most);

}  // namespace reticle
