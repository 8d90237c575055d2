// SPDX-License-Identifier: Apache-2.0
// Which points a sweep has: closed designs, and searches that go on from what is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/sweep_spec.hpp"

namespace reticle {

/// A point: per column of all axes its value, none where `when` is false.
struct DesignPoint {
  std::vector<std::optional<std::string>> values;
  std::string fidelity;
  std::string block;     ///< of Saltelli's matrices: A, B, AB0, AB1, ...; else empty
  std::int64_t row = 0;  ///< in that block
  bool operator==(const DesignPoint&) const = default;
};

/// What became of one.
struct PointResult {
  bool usable = false;  ///< a candidate: it ran, and keeps the sweep's limits and the physical ones
  std::vector<double> objectives{};  ///< more is better, as they were turned; empty: one is absent
  bool within_limits = false;        ///< those of the sweep alone
};

/// Every column of the sweep, in order.
std::vector<const SweepColumn*> columns_of(const SweepSpec& sweep);

/// The points that come after those that are `done`, `results` theirs, in an order that covers the
/// whole early; none: the sweep is complete. The same results give the same points.
std::vector<DesignPoint> next_points(const SweepSpec& sweep, const std::vector<DesignPoint>& done,
                                     const std::vector<PointResult>& results);

/// Neither is better everywhere: which of `results` no usable other one dominates.
std::vector<std::size_t> pareto_front(const std::vector<PointResult>& results);

}  // namespace reticle
