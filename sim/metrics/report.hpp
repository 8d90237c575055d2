// SPDX-License-Identifier: Apache-2.0
// report.json: what a run says about its inputs, in a schema scripts may rely on (docs/report.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "models/package/platform_spec.hpp"
#include "sim/config/resolved.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Raised when a key changes its meaning or goes away; new keys leave it.
inline constexpr int kReportSchema = 1;

/// Rows of a trace that were left out.
struct RowsLeftOut {
  std::int64_t without_tokens = 0;
  std::int64_t malformed = 0;
};

/// The report of a finished run. Equal inputs give equal bytes but for the block `simulator`.
/// `trace_digest` is Trace::digest of the workload's trace, absent for a steady decode, as are the
/// rows left out of it.
std::string report_json(const RunSpec& spec, const RunResult& result,
                        const SimulatorFacts& simulator, const BuildInfo& build,
                        std::optional<std::uint64_t> trace_digest = std::nullopt,
                        const std::optional<RowsLeftOut>& left_out = std::nullopt);

/// The report of inputs that are valid but do not fit: feasible.fits is false, feasible.limits
/// says why, and everything that a run would have found is null.
std::string infeasible_report_json(const RunSpec& spec, std::string_view why,
                                   const BuildInfo& build,
                                   std::optional<std::uint64_t> trace_digest = std::nullopt,
                                   const std::optional<RowsLeftOut>& left_out = std::nullopt);

/// A stored report priced anew by `platform`, whose energy and cost sections may be changed and
/// whose shape must be that of the run. `repriced` names the price table; the rest of the report
/// stays as it was. With the run's own platform and no name, the bytes stay the same.
/// Throws ConfigError when `report` is not the report of a finished run.
std::string reprice_report_json(std::string_view report, const PlatformSpec& platform,
                                std::string_view price_table);

/// 16 hexadecimal digits over everything that decides a result: the resolved values, and the trace
/// by its content in place of its path. Names of workloads and the order of elaboration do not
/// count.
std::string inputs_digest(const RunSpec& spec, std::optional<std::uint64_t> trace_digest);

}  // namespace reticle
