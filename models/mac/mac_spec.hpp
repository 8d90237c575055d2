// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// `arrays` weight-stationary arrays of rows (k) x cols (n) multiply-accumulators.
struct MacParams {
  std::int64_t arrays = 1;
  std::int64_t rows = 1;
  std::int64_t cols = 1;
  Hertz clock{};
  bool double_buffered_weights = true;  ///< the next tile's weights load while this one computes
  /// Cycles one pass takes relative to the native format, by weight/operand precision;
  /// 0 = not supported. FP4 native: 1; a format at half its rate: 2.
  std::array<std::int64_t, kPrecisionCount> cycles_per_pass{};
};

constexpr std::int64_t macs_per_cycle(const MacParams& p) { return p.arrays * p.rows * p.cols; }

/// A batch of equal matrix products: `count` times (m x k) by (k x n).
struct GemmShape {
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t count = 1;
};

struct MacStats {
  std::int64_t operations = 0;                       ///< GEMM calls
  std::array<std::int64_t, kPrecisionCount> macs{};  ///< multiply-accumulates done, by precision
  Picoseconds busy{};
};

}  // namespace reticle
