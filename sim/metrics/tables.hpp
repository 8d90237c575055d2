// SPDX-License-Identifier: Apache-2.0
// requests.csv, residency.csv, activity.csv, steps.csv: RFC 4180, exact decimals, "\n" line ends.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "models/package/platform_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// One row per request, in order of arrival; empty fields for what has not come to pass. `steady`:
/// the streams were under way before the run, so that arrival and time to first token do not apply.
void write_requests_csv(std::ostream& out, const RunResult& result, bool steady);

/// One row per sample and tier the deployment has.
void write_residency_csv(std::ostream& out, const RunResult& result);
/// One row per span of steps. Shares are of the instance's units, idle time included; power is the
/// instance's share of the constant power and what its events cost.
void write_activity_csv(std::ostream& out, const RunResult& result, const PlatformSpec& platform);
/// One row per step, where engine.step_rows kept them.
void write_steps_csv(std::ostream& out, const RunResult& result);

/// Watts of every component of energy, one row per span of steps: those of the activity table.
void write_power_csv(std::ostream& out, const RunResult& result, const PlatformSpec& platform);
/// The operators of the steps that were taken apart, one row each.
void write_operators_csv(std::ostream& out, const RunResult& result);
/// One row per sample, where heat was simulated.
void write_thermal_csv(std::ostream& out, const RunResult& result);

/// `text`, quoted when it holds a comma, a quote or a line end.
std::string csv_field(std::string_view text);

/// finished | rejected | running | waiting
std::string_view status_of(const RequestRecord& request);

}  // namespace reticle
