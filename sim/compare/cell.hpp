// SPDX-License-Identifier: Apache-2.0
// A cell of the comparison: one platform under one load, as its report.json has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/resolved.hpp"

namespace reticle {

/// A limit that a result breaks.
struct BrokenLimit {
  std::string limit;
  std::string text;
};

/// What does not apply, or what nothing ran for, is absent.
struct CellFigures {
  bool fits = true;
  std::string problem;    ///< why not
  bool simulated = true;  ///< else a bound: fidelity roofline
  std::int64_t nodes = 0, packages = 0, dies = 0;

  std::optional<double> tokens_per_s;                  ///< output, of the deployment
  std::optional<double> tokens_per_s_user;             ///< 1 / mean time per output token
  std::optional<double> bound_tokens_per_s;            ///< roofline
  std::optional<double> ttft_ms;                       ///< median
  std::optional<std::int64_t> prompt_tokens;           ///< of all its requests
  std::optional<double> context_ktokens;               ///< longest sequence that fits alone
  bool context_of_model = false;                       ///< more would fit than the model attends to
  std::optional<double> device_j, node_j, facility_j;  ///< per output token
  std::optional<double> busy_power_w;
  std::optional<double> capex_usd;
  std::optional<double> made_usd;          ///< silicon, memory, packages and the rest of the nodes
  std::optional<double> usd_per_m_tokens;  ///< at the planned utilisation
  std::optional<double> usd_per_m_tokens_run;  ///< at that of the run
  std::optional<double> density;               ///< streams per 1e6 USD at the planned utilisation
  std::optional<double> single_density;        ///< the same of one stream at a time

  std::string limited_by;  ///< largest part of the time; "capacity" where it does not fit
  double limited_share = 0;
  std::vector<BrokenLimit> limits;
};

/// Throws ConfigError when the text is not the report of a run.
CellFigures read_cell(std::string_view report);

/// The report is of these inputs, written by this program.
bool is_report_of(std::string_view report, const std::string& digest, const BuildInfo& build);

}  // namespace reticle
