// SPDX-License-Identifier: Apache-2.0
// How many cycles systolic arrays take for matrix products: what MacArray takes its time from, and
// the planner too.
#pragma once

#include <cstdint>
#include <span>

#include "models/mac/mac_spec.hpp"

namespace reticle {

/// How one product falls into tiles, and the cycles an array spends on one of them.
struct Tiling {
  std::int64_t tiles = 0;
  std::int64_t pass = 0;
};
Tiling tiling_of(const MacParams& params, const GemmShape& shape, Precision precision);

/// Cycles from the last tile's pass to its last result.
std::int64_t drain_cycles(const MacParams& params);

/// Several products of one instruction, their tiles dealt to all arrays; all 0 without work.
struct GemmCycles {
  std::int64_t stream = 0;   ///< until the arrays take the next instruction's tiles
  std::int64_t longest = 0;  ///< of the passes
  std::int64_t drain = 0;    ///< from `stream` to the last result
  std::int64_t macs = 0;
};
GemmCycles gemm_cycles(const MacParams& params, std::span<const GemmShape> shapes,
                       Precision precision);

}  // namespace reticle
