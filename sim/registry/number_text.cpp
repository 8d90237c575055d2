// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/number_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
    case Form::SavingPercent:
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

std::string tolerance_text(const ClaimTest& test) {
  if (test.claim.empty()) return {};
  const double tolerance = test.claimed.tolerance;
  return tolerance == 0 ? "read to the digit"
                        : fmt::format("both ends widened by {:.3g} %", 100 * tolerance);
}

std::string refutation_text(const RefutationResult& result) {
  const Refutation& asked = result.refutation;
  std::string text = result.title + ", " + (asked.arm.empty() ? "the best arm" : asked.arm);
  for (const Refutation::Labels& only : asked.where)
    text += fmt::format(", {} {} is {}", &only == &asked.where.front() ? "where" : "and", only.axis,
                        fmt::join(only.labels, " or "));
  text += asked.below ? fmt::format(": below {} {}", figure_text(asked.below), result.unit)
                      : fmt::format(": {} {} and more", figure_text(asked.from), result.unit);
  text += asked.everywhere ? " at every point" : " at some point";
  return text + fmt::format("; {} of {} points: {}", result.holds, result.of,
                            result.came_true ? "true" : "not true");
}

std::string came_true_text(const EntryResult& result) {
  if (result.refutations.empty()) return " Not evaluated: nothing that is simulated tells.";
  return result.refuted ? " It came true." : " It did not come true.";
}

std::string simulated_text(const TestResult& result) {
  const auto& [low, high] = std::pair{result.overall.low, result.overall.high};
  std::string text = range_text(low, high, unit_of(result.test));
  if (result.test.form == Form::Figure && low && *low > 0 && *high > *low)
    text += ", a factor of " + figure_text(*high / *low);
  return text;
}

std::string operating_point_text(const ArmResult& arm, const ClaimTest& test) {
  if (!arm.value || arm.operating_point.empty()) return {};
  std::string text = " (" + test.choose->name + " " + arm.operating_point;
  if (!arm.next_point.empty()) text += ", no more at " + arm.next_point;
  if (test.choose->search && arm.next_point.empty()) text += ", at least: the search ends there";
  return text + ")";
}

std::string comparand_text(const Comparand& comparand) {
  std::string text = figure_text(comparand.figure);
  if (comparand.low && comparand.high)
    text += fmt::format(" ({} to {})", figure_text(comparand.low), figure_text(comparand.high));
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
