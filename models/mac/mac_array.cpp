// SPDX-License-Identifier: Apache-2.0
#include "models/mac/mac_array.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/error.hpp"

namespace reticle {

MacArray::MacArray(const sc_core::sc_module_name& name, const MacParams& params)
    : sc_module{name}, params_{params} {
  port.bind(*this);
}

std::int64_t pass_cycles(const MacParams& params, std::int64_t m, Precision precision) {
  const std::int64_t slow = params.cycles_per_pass[static_cast<std::size_t>(precision)];
  invariant(slow > 0, "precision not supported by the MAC array");
  // Loading the next tile's weights takes one cycle per row; it hides behind this tile's m rows
  // when double buffered and adds to them when not.
  return params.double_buffered_weights ? std::max(m * slow, params.rows) : m * slow + params.rows;
}

MacTiming MacArray::compute(std::span<const GemmShape> shapes, Precision precision,
                            Picoseconds at) {
  std::int64_t work = 0;  // tile-cycles over all arrays
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  std::int64_t longest = 0;
  std::int64_t macs = 0;
  for (const GemmShape& s : shapes) {
    if (s.m <= 0 || s.k <= 0 || s.n <= 0 || s.count <= 0) continue;
    const std::int64_t pass = pass_cycles(params_, s.m, precision);
    const std::int64_t tiles = div_up(s.k, params_.rows) * div_up(s.n, params_.cols) * s.count;
    work += tiles * pass;
    shortest = std::min(shortest, pass);
    longest = std::max(longest, pass);
    macs += s.m * s.k * s.n * s.count;
  }
  const Picoseconds started = max(at, free_);
  if (work == 0) return {at, at, {}};
  // Tiles are dealt to the arrays as these fall free; equal tiles run in whole waves.
  const std::int64_t waves = div_up(div_up(work, params_.arrays), shortest);
  const std::int64_t stream = std::max(waves * shortest, longest);
  const std::int64_t fill = params_.rows + params_.cols - 2;
  const Picoseconds done = started + time_of(Cycles{stream + fill}, params_.clock);
  // The next GEMM's first tile follows into the pipeline behind the last rows of this one.
  free_ = started + time_of(Cycles{stream}, params_.clock);
  ++stats_.operations;
  stats_.macs[static_cast<std::size_t>(precision)] += macs;
  stats_.busy += free_ - started;
  return {started, done, time_of(Cycles{longest + fill}, params_.clock)};
}

}  // namespace reticle
