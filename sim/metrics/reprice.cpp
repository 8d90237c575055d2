// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"
#include "sim/metrics/counts_json.hpp"
#include "sim/metrics/priced_json.hpp"
#include "sim/metrics/report.hpp"
#include "sim/metrics/stored_run.hpp"

namespace reticle {

namespace {
[[noreturn]] void refuse(std::string_view key, std::string_view problem) {
  throw ConfigError(SourcePosition{"report.json", 0, 0}, key, problem);
}

/// The value at a path such as "/time_ps/busy".
const Json& at(const Json& report, const char* path) {
  const Json::json_pointer pointer{path};
  if (!report.contains(pointer)) refuse(path, "missing");
  return report[pointer];
}

std::int64_t whole(const Json& report, const char* path) {
  const Json& value = at(report, path);
  const auto number = whole_number_of(value);
  if (!number) refuse(path, "expected a whole number, got " + value.dump());
  return *number;
}

std::optional<double> number(const Json& report, const char* path) {
  const Json& value = at(report, path);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) refuse(path, "expected a number or null, got " + value.dump());
  return value.get<double>();
}

PricedRun stored_run(const Json& report) {
  PricedRun run{
      .counts = counts_from_json(at(report, "/counts").dump()),
      .duration = Picoseconds{whole(report, "/time_ps/simulated")},
      .busy = Picoseconds{whole(report, "/time_ps/busy")},
      .output_tokens = whole(report, "/output_tokens"),
      .output_tokens_per_s = number(report, "/throughput/output_tokens_per_s"),
      .total_tokens_per_s = number(report, "/throughput/total_tokens_per_s"),
      .single_stream_tokens_per_s = number(report, "/latency/single_stream_tokens_per_s")};
  if (run.duration < run.busy || run.busy.count() < 0)
    refuse("/time_ps/busy", "must lie between 0 and the simulated time");
  return run;
}

[[noreturn]] void refuse_shape(const PlatformSpec& platform) {
  refuse("deployment", "the run is of another deployment than platform '" + platform.name + "'");
}

void check_levels(const PlatformSpec& platform, const EventCounts& counts) {
  if (counts.link_bytes.size() > platform.fabric.levels.size()) refuse_shape(platform);
}

void check_shape(const Json& report, const PlatformSpec& platform, const EventCounts& counts) {
  if (whole(report, "/deployment/nodes") != platform.nodes ||
      whole(report, "/deployment/packages") != packages(platform) ||
      whole(report, "/deployment/dies") != dies(platform))
    refuse_shape(platform);
  check_levels(platform, counts);
}

void check_limits(const Json& report) {
  const Json& limits = at(report, "/feasible/limits");
  if (!limits.is_array()) refuse("/feasible/limits", "expected a list");
  for (const Json& limit : limits)
    if (!limit.is_object() || !limit.contains("limit") || !limit["limit"].is_string())
      refuse("/feasible/limits", "expected objects with a text 'limit'");
}

/// The words of its own prices, which stay (put_priced).
void check_prices(const Json& report) {
  const Json::json_pointer path{"/provenance/prices"};
  if (!report.contains(path)) return;
  const Json& prices = report[path];
  if (!prices.is_object() ||
      !std::ranges::all_of(prices, [](const Json& word) { return word.is_string(); }))
    refuse("/provenance/prices", "expected an object of texts");
}

/// A report that can be priced: of this schema, of a run that came to an end.
Json finished_report(std::string_view text) {
  Json report = parse_json<Json>(text, "report.json");
  if (!report.is_object()) refuse("", "expected a JSON object");
  if (whole(report, "/schema") != kReportSchema)
    refuse("schema", "expected " + std::to_string(kReportSchema));
  if (at(report, "/feasible/fits") != true) refuse("feasible", "nothing ran, nothing to price");
  return report;
}
}  // namespace

struct StoredRun::Counts {
  PricedRun run;
};

StoredRun::StoredRun(std::string_view report)
    : counts_{std::make_unique<const Counts>(Counts{stored_run(finished_report(report))})} {}
StoredRun::~StoredRun() = default;
StoredRun::StoredRun(StoredRun&&) noexcept = default;

PricedFigures StoredRun::price(const PlatformSpec& platform) const {
  check_levels(platform, counts_->run.counts);
  return price_figures(platform, counts_->run);
}

std::string reprice_report_json(std::string_view text, const PlatformSpec& platform,
                                std::string_view price_table) {
  Json report = finished_report(text);
  const PricedRun run = stored_run(report);
  check_shape(report, platform, run.counts);
  check_limits(report);
  check_prices(report);
  at(report, "/repriced");
  report["repriced"] = price_table.empty() ? Json(nullptr) : Json(price_table);
  put_priced(report, platform, run);
  return finished_text(report);
}

}  // namespace reticle
