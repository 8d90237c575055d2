// SPDX-License-Identifier: Apache-2.0
// The simulations behind a comparison: which deployment each platform gets, and its cells, each in
// a process of its own and kept in a file as soon as it has ended.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/compare/comparison.hpp"
#include "sim/compare/uncertainty.hpp"
#include "sim/config/read_run.hpp"

namespace reticle {

/// A machine lives so long and works this share of it, whatever its file says: the plan to compare
/// by. Goes before every other --set. [seed paper, Table 2 and Appendix C]
inline const std::array<std::string, 2> kPlanned{"platform.cost.utilisation=0.8",
                                                 "platform.cost.lifetime_years=3"};

struct CompareRequest {
  RunRequest common;  ///< all but the platform; its workload is the trace
  std::vector<std::string> platforms;
  std::int64_t context = 1024;    ///< of the steady decodes
  std::int64_t steps = 2;         ///< tokens of each of their streams
  std::int64_t most_dies = 1024;  ///< larger deployments get a bound instead of a simulation
  bool frontier = false;          ///< also batches 1, 2, 4, ... up to serving.max_batch
  std::size_t jobs = 1;
  std::filesystem::path cells;  ///< directory of their reports; empty: none is kept
};

struct CompareCells {
  std::vector<PlatformRow> rows, baselines;
  std::vector<PricedCells> priced;  ///< as the rows, then the baselines
};

/// Keys that say a model's number formats.
inline constexpr std::array<std::string_view, 4> kFormatKeys{"weights", "embedding", "activations",
                                                             "kv"};

/// The number format of the weights, as the model's file or --set has it.
std::string weights_of(const RunSpec& spec);

/// One row per platform, in order, and the baselines of Table 2 where the model is its own. A cell
/// whose report is there, of the same inputs and by this program, is not run again. Throws
/// ConfigError for wrong input and SimulationError for a cell that came to grief; what does not fit
/// is a row.
CompareCells run_cells(const CompareRequest& request, const PaperClaims& claims);

}  // namespace reticle
