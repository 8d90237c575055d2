// SPDX-License-Identifier: Apache-2.0
// Counts of token lengths in bounded memory: exact up to 2^20 tokens, to 1 part in 1,024 above.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace reticle {

class LengthHistogram {
 public:
  static constexpr std::int64_t kExact = std::int64_t{1} << 20;

  void add(std::int64_t length);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double mean() const;
  [[nodiscard]] std::int64_t max() const { return max_; }
  /// Nearest rank: the least length that at least `percent` of all do not exceed; 0 when empty.
  [[nodiscard]] std::int64_t percentile(double percent) const;
  /// In order of length.
  void each(const std::function<void(std::int64_t length, std::int64_t count)>& visit) const;

 private:
  std::vector<std::int64_t> small_;             ///< by length, as long as the longest yet
  std::map<std::int64_t, std::int64_t> large_;  ///< by length rounded down
  std::int64_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0.0;
};

}  // namespace reticle
