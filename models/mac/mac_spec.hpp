// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// What stays in the array while a tile is computed.
enum class Dataflow : std::uint8_t {
  WeightStationary,  ///< a rows x cols tile of weights; activations stream by
  OutputStationary   ///< a rows x cols tile of results; both operands stream by
};

/// What a product is for: kernels keep the arrays busy to different shares.
enum class MacUse : std::uint8_t { Dense, Grouped, GroupedBlock, Attention };
inline constexpr std::size_t kMacUseCount = 4;

/// `arrays` systolic arrays of rows x cols multiply-accumulators.
struct MacParams {
  std::int64_t arrays = 1;
  std::int64_t rows = 1;  ///< k of a weight tile, m of an output tile
  std::int64_t cols = 1;  ///< n
  Hertz clock{};
  /// Weight stationary: the next tile's weights load while this one computes. Output stationary:
  /// a tile's results shift out while the next one computes.
  bool double_buffered_weights = true;
  Dataflow dataflow = Dataflow::WeightStationary;
  /// Operand buffer to one array, bytes per cycle; 0 = as many as it takes.
  Bytes weight_bandwidth{};
  Bytes activation_bandwidth{};
  /// Cycles one pass takes relative to the native format, by weight/operand precision;
  /// 0 = not supported. FP4 native: 1; a format at half its rate: 2.
  std::array<std::int64_t, kPrecisionCount> cycles_per_pass{};
  /// Share of the peak that is sustained, in thousandths: power limits the clock, and kernels do
  /// not feed every cycle. 0 = all of it.
  std::array<std::array<std::int64_t, kPrecisionCount>, kMacUseCount> sustained_permille{};
};

/// The format that a product of two formats runs in: the one that takes more cycles.
constexpr Precision product_format(const MacParams& p, Precision one, Precision other) {
  const auto cycles = [&](Precision f) { return p.cycles_per_pass[static_cast<std::size_t>(f)]; };
  return cycles(other) > cycles(one) ? other : one;
}

constexpr std::int64_t macs_per_cycle(const MacParams& p) { return p.arrays * p.rows * p.cols; }

/// A batch of equal matrix products: `count` times (m x k) by (k x n).
struct GemmShape {
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t count = 1;
  MacUse use = MacUse::Dense;
  bool along_k = false;  ///< what streams by is rows of k; else columns of n
};

struct MacStats {
  std::int64_t operations = 0;                       ///< GEMM calls
  std::array<std::int64_t, kPrecisionCount> macs{};  ///< multiply-accumulates done, by precision
  Picoseconds busy{};
};

}  // namespace reticle
