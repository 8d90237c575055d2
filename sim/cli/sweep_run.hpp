// SPDX-License-Identifier: Apache-2.0
// Works the open points of a sweep out, in processes beside each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sim/config/sweep_spec.hpp"
#include "sim/sweep/store.hpp"

namespace reticle {

struct SweepOptions {
  std::filesystem::path out;
  std::size_t jobs = 1;
  bool replace = false;  ///< points of another sweep in the store
  bool retry = false;    ///< points that crashed, were stuck or ran out of time
  bool quiet = false;
  bool slurm = false;                      ///< points go to tasks of a job array
  std::size_t tasks = 16;                  ///< of an array, at most
  std::vector<std::string> slurm_options;  ///< for sbatch
  StoreKind kind = StoreKind::Local;       ///< of the store
};

/// How a sweep went.
struct SweepTally {
  std::int64_t points = 0;
  std::int64_t before = 0;    ///< worked out by an earlier start
  std::int64_t answered = 0;  ///< by the store: the same inputs as another point's
  std::map<PointStatus, std::int64_t> by_status{};
  /// Of points without a result, the first one's of each status.
  std::map<PointStatus, std::string> first_reason{};
  /// The best point of every objective within limits, in sentences.
  std::vector<std::string> best{};
  double wall_s = 0;
  std::int64_t peak_rss_bytes = 0;  ///< of the largest process of a point
  bool interrupted = false;
  bool halving_kept_none = false;
  [[nodiscard]] std::int64_t failures() const;
};

/// Goes on where the store ends. Throws ConfigError.
SweepTally run_sweep(const SweepSpec& sweep, const SweepOptions& options);

/// Works out the open points of a store that a task of a job array was given.
SweepTally run_sweep_task(const std::filesystem::path& store, std::size_t jobs);

/// The sweep that a store is of, what was given with --set included.
SweepSpec sweep_of(const SweepIdentity& identity);
/// Adds what was given with --set to a sweep, and to what its store will say.
void add_sets(SweepSpec& sweep, const std::vector<std::string>& sets);

SweepIdentity identity_of(const SweepSpec& sweep, const std::string& base);

}  // namespace reticle
