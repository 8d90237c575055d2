// SPDX-License-Identifier: Apache-2.0
// Works the open points of a sweep out, in processes beside each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>

#include "sim/config/sweep_spec.hpp"
#include "sim/sweep/store.hpp"

namespace reticle {

struct SweepOptions {
  std::filesystem::path out;
  std::size_t jobs = 1;
  bool replace = false;  ///< points of another sweep in the store
  bool retry = false;    ///< points that crashed, were stuck or ran out of time
  bool quiet = false;
};

/// How a sweep went.
struct SweepTally {
  std::int64_t points = 0;
  std::int64_t before = 0;    ///< worked out by an earlier start
  std::int64_t answered = 0;  ///< by the store: the same inputs as another point's
  std::map<PointStatus, std::int64_t> by_status{};
  double wall_s = 0;
  std::int64_t peak_rss_bytes = 0;  ///< of the largest process of a point
  bool interrupted = false;
  [[nodiscard]] std::int64_t failures() const;
};

/// Goes on where the store ends. Throws ConfigError.
SweepTally run_sweep(const SweepSpec& sweep, const SweepOptions& options);

SweepIdentity identity_of(const SweepSpec& sweep, const std::string& base);

}  // namespace reticle
