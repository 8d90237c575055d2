// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
/// In the order of enum PlanVerdict.
constexpr std::array<std::string_view, 5> kVerdictKeys{"chosen", "slower", "roughly_slower",
                                                       "too_small", "no_room"};

std::string_view key_of(PlanVerdict verdict) {
  return kVerdictKeys[static_cast<std::size_t>(verdict)];
}

std::int64_t count(const InstanceResult& result, PlanVerdict verdict) {
  return std::ranges::count(result.plan_options, verdict, &PlanOption::verdict);
}

Json milliseconds_json(const std::optional<Picoseconds>& time) {
  return time ? Json(seconds(*time) * 1e3) : Json(nullptr);
}
}  // namespace

Json plan_choice_json(const InstanceResult& result) {
  Json considered = Json::array();
  for (const PlanOption& option : result.plan_options)
    considered.push_back(
        {{"plan", to_string(option.plan)},
         {"verdict", key_of(option.verdict)},
         {"estimated_step_ms", milliseconds_json(option.step)},
         {"rough_step_ms", milliseconds_json(option.rough)},
         {"problem", option.problem.empty() ? Json(nullptr) : Json(option.problem)}});
  return {{"chosen_for",
           {{"batch", result.plan_target.batch}, {"context", result.plan_target.context}}},
          {"why", plan_reason(result)},
          {"considered", std::move(considered)}};
}

std::string plan_reason(const InstanceResult& result) {
  const auto& options = result.plan_options;
  if (options.empty()) return {};
  const PlanOption& chosen = options.front();
  std::string text = fmt::format("{}, for {} streams of {} tokens: {} a decode step, estimated",
                                 to_string(chosen.plan), count_text(result.plan_target.batch),
                                 count_text(result.plan_target.context), time_text(*chosen.step));
  if (options.size() == 1) return text + "; the only plan left open";
  if (options[1].verdict == PlanVerdict::Slower)
    text += fmt::format("; next best {} with {} ({:+.0f} %)", to_string(options[1].plan),
                        time_text(*options[1].step),
                        (seconds(*options[1].step) / seconds(*chosen.step) - 1) * 100);
  const auto add = [&](std::int64_t n, std::string_view what) {
    if (n > 0) text += fmt::format("; {} {}", n, what);
  };
  add(count(result, PlanVerdict::Slower) - 1, "more slower");
  add(count(result, PlanVerdict::RoughlySlower), "not estimated, by their rough times");
  add(count(result, PlanVerdict::TooSmall), "with room for fewer streams");
  if (const auto n = count(result, PlanVerdict::NoRoom); n > 0)
    text += fmt::format("; {} without room ({}: {})", n, to_string(options.back().plan),
                        options.back().problem);
  return text;
}

}  // namespace reticle
