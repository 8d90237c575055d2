// SPDX-License-Identifier: Apache-2.0
// A sweep as its file states it: which points, what is asked of them, how they are found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/expression.hpp"
#include "sim/config/read_run.hpp"

namespace reticle {

/// What an axis goes through: `values` on a grid; designs that sample go through `low` to `high`.
struct SweepSpan {
  double low = 0, high = 0;
  bool log = false;
  bool whole = false;  ///< rounded to whole numbers
  std::string unit;    ///< written behind the number
};

/// `u` from 0 to 1 along it.
double value_at(const SweepSpan& span, double u);
/// A number as --set takes it, rounded and with its unit.
std::string text_of(const SweepSpan& span, double value);

/// A key of --set, or platform, llm, workload, serving; or a variable that only derived keys use.
struct SweepColumn {
  std::string key;
  bool variable = false;
  std::vector<std::string> values;
};

/// One direction of the design: a column, or several that change together.
struct SweepAxis {
  std::vector<SweepColumn> columns;
  std::optional<SweepSpan> span;
  std::optional<Expression> when;  ///< over earlier axes; where it is false nothing is set
  [[nodiscard]] std::size_t size() const { return columns.front().values.size(); }
};

/// A key that follows from the axes.
struct DerivedKey {
  std::string key;
  Expression value;
  std::string unit;
  bool whole = false;
};

/// What must hold before a point is worth running.
struct SweepConstraint {
  Expression require;
  std::string reason;
};

enum class Better : std::uint8_t { More, Less };

struct SweepObjective {
  std::string name;
  Expression value;
  Better better = Better::More;
};

enum class DesignKind : std::uint8_t { Grid, LatinHypercube, Sobol, Saltelli, Pareto };

struct SweepDesign {
  DesignKind kind = DesignKind::Grid;
  std::int64_t points = 0;  ///< of a sample; rows of Saltelli's matrices; budget of a search
  std::uint64_t seed = 0;
};

/// All points by roofline, then the best of them as `RunRequest::fidelity` says.
struct SweepHalving {
  std::int64_t keep = 1;
};

struct SweepSpec {
  std::string name;
  std::string title;
  RunRequest base;                   ///< with the fixed overrides
  std::vector<std::string> given{};  ///< of those, what came beside the file
  std::vector<SweepAxis> axes;
  std::vector<DerivedKey> derived;
  std::vector<SweepConstraint> constraints;
  std::vector<SweepObjective> objectives;  ///< one at least
  std::vector<Expression> limits;
  std::vector<std::string> allowed;  ///< physical limits that candidates may break
  SweepDesign design;
  std::optional<SweepHalving> halving;
  std::optional<double> time_limit_s;  ///< of a point, wall clock
  std::string text;                    ///< of the file
};

}  // namespace reticle
