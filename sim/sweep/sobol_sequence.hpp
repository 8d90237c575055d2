// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace reticle {

/// Sobol's low-discrepancy points in [0, 1)^d, with the direction numbers of [Joe+ SISC'08]
/// (new-joe-kuo-6.21201), in the order of Gray codes. The first is the origin.
class SobolSequence {
 public:
  static constexpr std::size_t kMostDimensions = 21;  ///< rows of the table of directions

  explicit SobolSequence(std::size_t dimensions);
  [[nodiscard]] std::vector<double> point(std::uint64_t number) const;

 private:
  static constexpr std::size_t kBits = 32;              ///< of a direction: 2^32 points
  std::vector<std::vector<std::uint32_t>> directions_;  ///< by dimension and bit
};

}  // namespace reticle
