// SPDX-License-Identifier: Apache-2.0
// How a length or a pause is distributed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/rng.hpp"

namespace reticle {

/// Of all values, a share of `p` lies at or below `value`.
struct QuantilePoint {
  double p = 0;
  double value = 0;
};

/// One part of a mixture of lognormals; `mu` and `sigma` of the logarithm.
struct LognormalPart {
  double weight = 0;
  double mu = 0;
  double sigma = 0;
};

/// One of three: a table of quantiles (geometric interpolation between two of them), a mixture of
/// lognormals, or the lognormal with the given median and 95th percentile. All end at `maximum`.
struct LengthModel {
  double median = 0;
  double p95 = 0;
  std::int64_t maximum = 0;
  std::vector<QuantilePoint> table{};    ///< p from 0 to 1, both rising; the maximum is not asked
  std::vector<LognormalPart> mixture{};  ///< weights sum to 1
};

/// Whether the model was given at all.
bool is_given(const LengthModel& model);
/// Throws ConfigError (without position) at `key` when the model makes no sense.
void check_law(const LengthModel& model, const std::string& key);
double draw_value(RngStream& rng, const LengthModel& model);
/// The value that a share `u` of a table lies below.
double table_value(const std::vector<QuantilePoint>& table, double u);
/// The model as a table, however it was given: one of lognormals from its distribution function at
/// every 32nd of a standard deviation of each.
std::vector<QuantilePoint> quantile_table(const LengthModel& model);
/// A whole number from 1 to the maximum.
std::int64_t draw_length(RngStream& rng, const LengthModel& model);

/// Appends "key value" pairs of what the model holds to a note.
void describe_law(std::string& note, const std::string& key, const LengthModel& model);
void describe_number(std::string& note, std::string_view key, double value);

}  // namespace reticle
