// SPDX-License-Identifier: Apache-2.0
// The blocks of report.json that prices decide, shared by reporting and re-pricing. Private to this
// library: no JSON type leaves it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sim/metrics/figures.hpp"
#include "sim/metrics/stored_run.hpp"

namespace reticle {

using Json = nlohmann::ordered_json;

/// The number, or null.
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// What energy and cost are stated per; all a stored report needs to be priced again.
struct PricedRun {
  EventCounts counts;
  Picoseconds duration{};
  Picoseconds busy{};
  std::int64_t output_tokens = 0;
  std::optional<double> output_tokens_per_s;
  std::optional<double> total_tokens_per_s;
  std::optional<double> single_stream_tokens_per_s;
};

PricedFigures price_figures(const PlatformSpec& platform, const PricedRun& run);

/// Writes the blocks `energy`, `normalised` and `cost` into `report` and its priced limits to the
/// front of feasible.limits; keys that exist keep their place.
void put_priced(Json& report, const PlatformSpec& platform, const PricedRun& run);

/// The text of a finished report. Breaks an invariant on a number that is not finite.
std::string finished_text(const Json& report);

}  // namespace reticle
