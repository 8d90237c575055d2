// SPDX-License-Identifier: Apache-2.0
#include "models/mac/gemm_cycles.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Cycles that `elements` of an operand take out of a buffer of `per_cycle` bytes.
std::int64_t fetch_cycles(std::int64_t elements, Precision precision, Bytes per_cycle) {
  if (per_cycle.count() == 0) return 0;
  return div_up(bytes_of(elements, precision).count(), per_cycle.count());
}

/// What runs beside the stream with double buffers, and before or after it without.
std::int64_t pass_of(const MacParams& params, std::int64_t stream, std::int64_t beside) {
  return params.double_buffered_weights ? std::max(stream, beside) : stream + beside;
}

/// Weights are loaded a row a cycle, then m rows of activations stream by.
Tiling weight_stationary(const MacParams& p, const GemmShape& s, Precision precision,
                         std::int64_t slow) {
  const std::int64_t rows = std::min(s.k, p.rows);
  const std::int64_t cols = std::min(s.n, p.cols);
  const std::int64_t load =
      std::max(p.rows, fetch_cycles(rows * cols, precision, p.weight_bandwidth));
  const std::int64_t stream =
      std::max(s.m * slow, fetch_cycles(s.m * rows, precision, p.activation_bandwidth));
  return {div_up(s.k, p.rows) * div_up(s.n, p.cols) * s.count, pass_of(p, stream, load)};
}

/// k columns of activations and rows of weights stream by, then results shift out a row a cycle.
Tiling output_stationary(const MacParams& p, const GemmShape& s, Precision precision,
                         std::int64_t slow) {
  const std::int64_t rows = std::min(s.m, p.rows);
  const std::int64_t cols = std::min(s.n, p.cols);
  const std::int64_t stream =
      std::max({s.k * slow, fetch_cycles(s.k * rows, precision, p.activation_bandwidth),
                fetch_cycles(s.k * cols, precision, p.weight_bandwidth)});
  return {div_up(s.m, p.rows) * div_up(s.n, p.cols) * s.count, pass_of(p, stream, p.rows)};
}
}  // namespace

Tiling tiling_of(const MacParams& params, const GemmShape& shape, Precision precision) {
  const std::int64_t slow = params.cycles_per_pass[static_cast<std::size_t>(precision)];
  invariant(slow > 0, "precision not supported by the MAC array");
  Tiling tiling = params.dataflow == Dataflow::WeightStationary
                      ? weight_stationary(params, shape, precision, slow)
                      : output_stationary(params, shape, precision, slow);
  const std::int64_t sustained = params.sustained_permille[static_cast<std::size_t>(shape.use)]
                                                          [static_cast<std::size_t>(precision)];
  if (sustained > 0) tiling.pass = mul_div_up(tiling.pass, 1000, sustained);
  return tiling;
}

std::int64_t drain_cycles(const MacParams& params) {
  // The skew of rows and columns; the last tile's results have no next tile to shift out beside.
  const std::int64_t skew = params.rows + params.cols - 2;
  const bool shifts = params.dataflow == Dataflow::OutputStationary;
  return skew + (shifts && params.double_buffered_weights ? params.rows : 0);
}

GemmCycles gemm_cycles(const MacParams& params, std::span<const GemmShape> shapes,
                       Precision precision) {
  GemmCycles sum;
  std::int64_t work = 0;  // tile-cycles over all arrays
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  for (const GemmShape& s : shapes) {
    if (s.m <= 0 || s.k <= 0 || s.n <= 0 || s.count <= 0) continue;
    const Tiling tiling = tiling_of(params, s, precision);
    work += tiling.tiles * tiling.pass;
    shortest = std::min(shortest, tiling.pass);
    sum.longest = std::max(sum.longest, tiling.pass);
    sum.macs += s.m * s.k * s.n * s.count;
  }
  if (work == 0) return {};
  // Tiles are dealt to the arrays as these fall free; equal tiles run in whole waves.
  const std::int64_t waves = div_up(div_up(work, params.arrays), shortest);
  sum.stream = std::max(waves * shortest, sum.longest);
  sum.drain = drain_cycles(params);
  return sum;
}

}  // namespace reticle
