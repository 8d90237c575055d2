// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/heat_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/metrics/figures.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// Within steps, had they all run at the full clock: instances side by side.
std::optional<double> burst_rate(const RunResult& result) {
  const auto n = static_cast<double>(std::max<std::size_t>(1, result.instances.size()));
  return ratio(static_cast<double>(result.output_tokens),
               seconds(result.thermal->at_full_clock) / n);
}

std::string_view words_of(PowerLimit limit) {
  switch (limit) {
    case PowerLimit::None:
      return "nothing";
    case PowerLimit::Temperature:
      return "the temperature of a die";
    case PowerLimit::PackagePower:
      return "the power limit of a package";
    case PowerLimit::NodePower:
      return "the power limit of the nodes";
    case PowerLimit::Runaway:
      return "leakage that no steady state holds";
  }
  return {};
}
}  // namespace

Json thermal_json(const RunSpec& spec, const RunResult& result) {
  if (!result.thermal) return nullptr;
  const ThermalResult& t = *result.thermal;
  const SustainedPoint& s = t.sustained;
  const auto burst = burst_rate(result);
  const auto n = static_cast<double>(std::max<std::size_t>(1, result.instances.size()));
  const double busy = seconds(result.busy) * n;
  // A run shorter than a period of the controller has no samples.
  const auto sampled = [&](double v) { return t.samples.empty() ? Json(nullptr) : Json(v); };
  return {
      {"cooling", spec.platform.cooling->standard},
      {"clock", {{"mean", or_null(ratio(t.clock_seconds, busy))}, {"least", t.least_clock}}},
      {"throttled_share", or_null(ratio(seconds(t.throttled), busy))},
      {"first_throttled_s", t.first_throttled ? Json(seconds(*t.first_throttled)) : Json(nullptr)},
      {"hottest_c", sampled(t.hottest_c)},
      {"energy",
       {{"dynamic_j", sampled(t.dynamic_j)},
        {"memory_j", sampled(t.memory_j)},
        {"leakage_j", sampled(t.leakage_j)},
        {"elsewhere_j", sampled(t.elsewhere_j)},
        {"total_j", sampled(t.dynamic_j + t.memory_j + t.leakage_j + t.elsewhere_j)}}},
      {"burst_output_tokens_per_s", or_null(burst)},
      {"seconds_to_throttling", or_null(t.seconds_to_throttling)},
      {"sustained",
       {{"kept_up", s.kept_up},
        {"clock", s.clock},
        {"speed", s.speed},
        {"output_tokens_per_s", burst ? Json(*burst * s.speed) : Json(nullptr)},
        {"hottest_c", s.hottest_c},
        {"package_w", s.package_w},
        {"node_w", s.node_w},
        {"bound_by", name_of(s.bound_by)}}}};
}

std::string thermal_lines(const RunSpec& spec, const RunResult& result) {
  if (!result.thermal) return {};
  const ThermalResult& t = *result.thermal;
  const SustainedPoint& s = t.sustained;
  const auto burst = burst_rate(result);
  if (!burst) return {};
  std::string out = fmt::format("Heat, cooled by {}\n", spec.platform.cooling->standard);
  const auto n = static_cast<double>(std::max<std::size_t>(1, result.instances.size()));
  if (!t.samples.empty())
    out += fmt::format(
        "  in this run: hottest die {:.1f} C, {} of the time below the full clock, "
        "least {}\n",
        t.hottest_c, percent_text(seconds(t.throttled) / (seconds(result.busy) * n)),
        percent_text(t.least_clock));
  out += fmt::format("  full clock: {} tokens/s, {}\n", number_text(*burst),
                     t.seconds_to_throttling
                         ? fmt::format("for {} from cold", with_unit(*t.seconds_to_throttling, "s"))
                         : std::string{"for ever"});
  out += s.kept_up ? fmt::format(
                         "  sustained: {} tokens/s at {} of the clock, hottest die {:.1f} C, {} "
                         "per package; bound by {}\n",
                         number_text(*burst * s.speed), percent_text(s.clock), s.hottest_c,
                         with_unit(s.package_w, "W"), words_of(s.bound_by))
                   : fmt::format("  sustained: not even at {} of the clock, for {}\n",
                                 percent_text(s.clock), words_of(s.bound_by));
  return out;
}

}  // namespace reticle
