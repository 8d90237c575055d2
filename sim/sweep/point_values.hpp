// SPDX-License-Identifier: Apache-2.0
// What a point is called and came to, as the expressions of a sweep ask for it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/sweep/store.hpp"

namespace reticle {

using PointValues = std::map<std::string, std::string>;

/// Throws ConfigError where a point has more or fewer values than the sweep's axes have keys: the
/// store is of another sweep, or damaged. What follows may rely on it.
void check_points(const SweepSpec& sweep, const std::vector<StoredPoint>& points);

/// Names of the run and values of the axes, by key.
PointValues values_of(const SweepSpec& sweep, const DesignPoint& point);
std::optional<ExpressionValue> value_in(const PointValues& values, const std::string& name);

/// Facts and figures of an answer by their names; words and numbers alone. Throws ConfigError where
/// what the store holds is no JSON object.
std::map<std::string, ExpressionValue> outputs_of(const PointAnswer& answer);

/// Keys that follow from the axes, and their values as --set takes them.
std::vector<std::pair<std::string, std::string>> derived_of(const SweepSpec& sweep,
                                                            const DesignPoint& point);

/// The values of the axes' keys, a JSON object.
std::string inputs_json(const SweepSpec& sweep, const DesignPoint& point);

/// Physical limits that a point, which ran, breaks.
std::vector<std::string> broken_of(const PointAnswer& answer);

/// As the sweep's objectives and limits see it.
PointResult result_of(const SweepSpec& sweep, const DesignPoint& point, const PointAnswer& answer);
/// The point, which ran, has what the limit asks for, and does not keep it.
bool breaks(const SweepSpec& sweep, const DesignPoint& point, const PointAnswer& answer,
            const Expression& limit);
/// What objectives and limits ask for and the point, which ran, does not have.
std::set<std::string> absent_names(const SweepSpec& sweep, const DesignPoint& point,
                                   const PointAnswer& answer);

}  // namespace reticle
