// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/inside_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

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

struct InsideFiles::File {
  std::string option;
  std::filesystem::path path, beside;
  std::ofstream out;
};

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

std::ofstream& InsideFiles::open(const std::string& path, const char* option) {
  File& file = *files_.emplace_back(std::make_unique<File>());
  file.option = option;
  file.path = path;
  // A file appears whole or not at all; a pipe, a terminal or a device is written as it is.
  std::error_code ignored;
  const auto there = std::filesystem::status(file.path, ignored);
  if (std::filesystem::is_directory(there))
    throw ConfigError({path, 0, 0}, option, "expected a file, got a directory");
  const bool in_place = std::filesystem::exists(there) && !std::filesystem::is_regular_file(there);
  file.beside = in_place ? path : path + ".part." + std::to_string(::getpid());
  file.out.open(file.beside, std::ios::binary | std::ios::trunc);
  if (!file.out)
    throw ConfigError(
        {path, 0, 0}, option,
        "expected a file that can be written, got " + std::generic_category().message(errno));
  return file.out;
}

InsideFiles::InsideFiles(const InsideOptions& asked, const RunSpec& spec) {
  if (asked.timeline.empty() && asked.vcd.empty()) return;
  if (asked.timeline == asked.vcd)
    throw ConfigError({}, "--vcd", "expected another file than that of --timeline");
  const TimelineOptions options = window_of(spec, asked);
  if (!asked.timeline.empty())
    fan_.all.push_back(&timeline_.emplace(open(asked.timeline, "--timeline"), spec, options));
  if (!asked.vcd.empty())
    fan_.all.push_back(&waveform_.emplace(open(asked.vcd, "--vcd"), spec, options));
}

InsideFiles::~InsideFiles() {
  std::error_code ignored;
  for (const auto& file : files_)  // gone where they were finished
    if (file->beside != file->path) std::filesystem::remove(file->beside, ignored);
}

RunObserver* InsideFiles::observer() { return fan_.all.empty() ? nullptr : &fan_; }

void InsideFiles::finish() {
  if (fan_.all.empty()) return;
  if (fan_.steps == 0)
    throw ConfigError({}, "--timeline-steps", "the run ended before the first of these steps");
  for (const auto& file : files_) {
    file->out.close();
    if (!file->out)
      throw ConfigError({file->path.string(), 0, 0}, file->option,
                        "could not be written: " + std::generic_category().message(errno));
    if (file->beside != file->path) std::filesystem::rename(file->beside, file->path);
  }
}

}  // namespace reticle
