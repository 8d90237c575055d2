// SPDX-License-Identifier: Apache-2.0
// Measured serving of whole machines, and what of it can be simulated.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/config/read_run.hpp"
#include "sim/validate/table.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

/// One benchmark run: its configuration, and what was measured.
struct SystemRun {
  std::string id, platform, model, precision, parallelism, framework, family, quality, source;
  std::string input, output, concurrency;  ///< as written: numbers of tokens and streams, or words
  std::string notes;
  std::int64_t chips = 0;
  std::map<std::string, double> measured;  ///< by metric, in its unit
};

/// Rows of one run_id are one run. Throws ConfigError where a number is none.
std::vector<SystemRun> system_runs(const Table& table);

/// How a run is simulated: clients that each send their next request when the former one has been
/// answered, as the benchmarks' clients do; or, where the batch is told, a queue that keeps it
/// full.
struct SystemCase {
  RunRequest request;
  std::int64_t turns = 2;  ///< requests of each client
  std::int64_t clients = 0;
  /// All requests are there at once, `clients` of them run at a time; left while the batch is full.
  bool queued = false;
  std::int64_t input = 0, output = 0;
  double shortest = 1;   ///< lengths are uniform from this share of the nominal ones on
  std::string left_out;  ///< why it cannot be simulated; empty: it can
};
SystemCase case_of(const SystemRun& run);

/// `turns` requests of each client, lengths drawn anew for each.
Trace clients_trace(const SystemCase& system, std::int64_t turns);

/// The catalogue's serving policy that stands for a serving stack; empty: none does.
std::string stack_of(const std::string& framework);

}  // namespace reticle
