// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/kept_report.hpp"

#include "sim/base/error.hpp"
#include "sim/base/file_reader.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/compare/cell.hpp"
#include "sim/engine/run.hpp"
#include "sim/metrics/report.hpp"

namespace reticle {

std::string read_text(const std::filesystem::path& path) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;  // reports have some 10 kB
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  return read_whole_file(path, path.string(), kMostBytes);
}

std::string kept_report(const RunRequest& request, const std::filesystem::path& kept) {
  const RunSpec spec = read_run(request);
  const std::optional<Trace> trace = load_trace(spec);
  const auto digest = trace ? std::optional{trace->digest} : std::nullopt;
  if (!kept.empty()) {
    std::string stored = read_text(kept);
    if (is_report_of(stored, inputs_digest(spec, digest), build_info())) return stored;
  }
  const auto left_out =
      trace ? std::optional{RowsLeftOut{trace->skipped, trace->bad_rows}} : std::nullopt;
  try {
    const RunResult result = run_simulation(spec, trace ? &*trace : nullptr, {});
    if (!result.ended_by.empty()) throw SimulationError("stopped " + result.ended_by);
    return report_json(spec, result, {}, build_info(), digest, left_out);
  } catch (const InfeasibleError& error) {
    return infeasible_report_json(spec, error.what(), build_info(), digest, left_out);
  }
}

}  // namespace reticle
