// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/number_text.hpp"

#include <fmt/format.h>

#include <cmath>

namespace reticle {

std::string figure_text(const std::optional<double>& figure) {
  constexpr double kWhole = 1000;  // from here on all digits before the point are shown
  if (!figure) return "-";
  return std::abs(*figure) >= kWhole ? fmt::format("{:.0f}", *figure)
                                     : fmt::format("{:.3g}", *figure);
}

std::string range_text(const std::optional<double>& low, const std::optional<double>& high,
                       const std::string& unit) {
  if (!low) return "-";
  const std::string from = figure_text(low), to = figure_text(high);
  return from == to ? fmt::format("{} {}", from, unit) : fmt::format("{} to {} {}", from, to, unit);
}

std::string unit_of(const ClaimTest& test) {
  if (!test.claim_unit.empty()) return test.claim_unit;
  switch (test.form) {
    case Form::Ratio:
      return "x";
    case Form::GainPercent:
    case Form::LossPercent:
      return "%";
    case Form::Figure:
      return test.metric.unit;
  }
  return {};
}

std::string claim_text(const ClaimTest& test) {
  if (test.claim.empty()) return "none: figures alone";
  return range_text(test.claimed.low, test.claimed.high, test.claim_unit) +
         (test.claimed.at_least ? " and more" : "");
}

std::string simulated_text(const TestResult& result) {
  const auto& [low, high] = std::pair{result.overall.low, result.overall.high};
  std::string text = range_text(low, high, unit_of(result.test));
  if (result.test.form == Form::Figure && low && *low > 0 && *high > *low)
    text += ", a factor of " + figure_text(*high / *low);
  return text;
}

std::string takeover_text(const TestResult& result) {
  if (result.bound_after.empty()) return "-";
  if (result.bound_before.empty()) return result.bound_after;
  return result.bound_before == result.bound_after
             ? result.bound_after + ", as before"
             : result.bound_before + ", then " + result.bound_after;
}

}  // namespace reticle
