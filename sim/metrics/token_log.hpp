// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// Output tokens of a run over time, thinned evenly when it is long.
class TokenLog {
 public:
  /// So many `tokens` in all until `time`, which does not go back.
  void add(Picoseconds time, std::int64_t tokens);
  /// Tokens per second from one time to another; nullopt when nothing lies between them.
  [[nodiscard]] std::optional<double> rate(Picoseconds from, Picoseconds to) const;

 private:
  struct Sample {
    Picoseconds time{};
    std::int64_t tokens = 0;
  };
  [[nodiscard]] std::int64_t tokens_at(Picoseconds time) const;

  std::vector<Sample> samples_{{}};
  std::int64_t stride_ = 1, seen_ = 0;
};

/// What each fault took of the rate at which tokens came: before it, from half way after the last
/// one was over (a run fills up first); while it lasted; and after it, until the next one or the
/// end, or until `asked`, when the last request came, where that is most of it (a run runs dry).
void rate_faults(std::span<FaultRecord> faults, const TokenLog& log, Picoseconds asked,
                 Picoseconds end);

}  // namespace reticle
