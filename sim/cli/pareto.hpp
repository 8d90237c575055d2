// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/read_run.hpp"

namespace reticle {

/// Throughput against interactivity: what a chip makes, and what its user sees.
struct ParetoPoint {
  std::int64_t batch = 0;
  std::string problem;  ///< empty: it ran
  double tokens_per_s = 0, tokens_per_s_chip = 0, tokens_per_s_user = 0;
  double energy_per_token_j = 0;
  std::optional<double> usd_per_million;
  std::string limited_by;
  bool best = false;  ///< no other point has more of both
};

struct ParetoFront {
  std::vector<ParetoPoint> points;  ///< by batch
  std::size_t batches = 0;          ///< so many there are to try
};

/// Steady decodes of 1, 2, 4, ... streams, up to serving.max_batch or to the first that does not
/// fit, which is listed with the reason, or to where the user asks to stop (Interruptible). `jobs`
/// at a time. Throws ConfigError unless `request` asks for a steady decode.
ParetoFront pareto_front(const RunRequest& request, std::size_t jobs);

std::string pareto_table(const std::vector<ParetoPoint>& points);
std::string pareto_json(const std::vector<ParetoPoint>& points);
std::string pareto_csv(const std::vector<ParetoPoint>& points);

}  // namespace reticle
