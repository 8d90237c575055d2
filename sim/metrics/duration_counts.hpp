// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

/// How many there were of each duration, in bounded memory: exact up to kMostExact different ones,
/// from then on to kBits significant bits (6e-5 of a duration at most). Count and mean stay exact.
class DurationCounts {
 public:
  static constexpr std::size_t kMostExact = 16'384;  ///< 256 KiB of them
  static constexpr int kBits = 14;                   ///< 2^-14 = 6e-5 of it

  /// `duration` not negative.
  void add(Picoseconds duration, std::int64_t count = 1) {
    if (duration != last_.first) {
      flush();
      last_.first = duration;
    }
    last_.second += count;
  }

  [[nodiscard]] std::int64_t count() const { return count_ + last_.second; }
  [[nodiscard]] double mean_ps() const;
  /// Ascending; durations may be there twice.
  [[nodiscard]] std::vector<std::pair<Picoseconds, std::int64_t>> sorted() const;
  [[nodiscard]] bool rounded() const { return rounded_; }

 private:
  void flush();

  std::pair<Picoseconds, std::int64_t> last_{};  ///< not among the others yet
  std::unordered_map<std::int64_t, std::int64_t> counts_;
  std::int64_t count_ = 0;
  unsigned __int128 sum_ps_ = 0;
  bool rounded_ = false;
};

}  // namespace reticle
