// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/inside_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// "A..B" or "N", from `least` on. Throws ConfigError that names `option`.
NumberRange read_range(const std::string& text, const std::string& option, std::int64_t least) {
  const auto number = [&](std::string_view part) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc{} || end != part.data() + part.size() || value < least)
      throw ConfigError(
          {}, option,
          "expected N or A..B, whole numbers from " + std::to_string(least) + ", got " + text);
    return value;
  };
  const std::string_view all{text};
  const std::size_t dots = all.find("..");
  if (dots == std::string_view::npos) return {number(all), number(all)};
  const NumberRange range{number(all.substr(0, dots)), number(all.substr(dots + 2))};
  if (range.first > range.last)
    throw ConfigError({}, option, "expected A..B with A at most B, got " + text);
  return range;
}

TimelineOptions window_of(const RunSpec& spec, const InsideOptions& asked) {
  if (spec.engine.fidelity == Fidelity::Roofline)
    throw ConfigError({}, asked.timeline.empty() ? "--vcd" : "--timeline",
                      "expected transaction or cycle fidelity: nothing is timed at roofline");
  TimelineOptions options{.steps = read_range(asked.steps, "--timeline-steps", 1)};
  if (const auto* steady = std::get_if<SteadyDecode>(&spec.workload);
      steady != nullptr && options.steps.first > steady->steps)
    throw ConfigError({}, "--timeline-steps",
                      "expected steps up to " + std::to_string(steady->steps) +
                          ", of which workload.steps has so many, got " + asked.steps);
  if (asked.dies.empty()) return options;
  options.dies = read_range(asked.dies, "--timeline-dies", 0);
  const std::int64_t count = dies(spec.platform) / spec.serving.instances;
  if (options.dies->first >= count)
    throw ConfigError(
        {}, "--timeline-dies",
        "expected dies from 0 to " + std::to_string(count - 1) + ", got " + asked.dies);
  return options;
}
}  // namespace

bool InsideFiles::Fan::wants(std::int32_t instance, std::int64_t step) const {
  return std::ranges::any_of(all, [&](const auto* one) { return one->wants(instance, step); });
}
void InsideFiles::Fan::ran(const SiliconStep& step) {
  for (RunObserver* one : all) one->ran(step);
}
void InsideFiles::Fan::scheduled(const ScheduledStep& step) {
  ++steps;
  for (RunObserver* one : all) one->scheduled(step);
}
void InsideFiles::Fan::ended(const RunResult& result) {
  for (RunObserver* one : all) one->ended(result);
}

InsideFiles::InsideFiles(const InsideOptions& asked, const RunSpec& spec) {
  if (asked.timeline.empty() && asked.vcd.empty()) return;
  if (asked.timeline == asked.vcd)
    throw ConfigError({}, "--vcd", "expected another file than that of --timeline");
  for (const auto& [option, path] :
       {std::pair{"--timeline", &asked.timeline}, std::pair{"--vcd", &asked.vcd}})
    if (std::filesystem::is_directory(*path))
      throw ConfigError({*path, 0, 0}, option, "expected a file, got a directory");
  const TimelineOptions options = window_of(spec, asked);
  if (!asked.timeline.empty())
    fan_.all.push_back(&timeline_.emplace(open(asked.timeline), spec, options));
  if (!asked.vcd.empty()) fan_.all.push_back(&waveform_.emplace(open(asked.vcd), spec, options));
}

RunObserver* InsideFiles::observer() { return fan_.all.empty() ? nullptr : &fan_; }

void InsideFiles::finish() {
  if (fan_.all.empty()) return;
  if (fan_.steps == 0)
    throw ConfigError({}, "--timeline-steps", "the run ended before the first of these steps");
  for (WholeFile& file : files_) file.done();
}

}  // namespace reticle
