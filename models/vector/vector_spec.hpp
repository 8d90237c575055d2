// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/base/units.hpp"

namespace reticle {

/// A SIMD unit for norms, softmax, router, sampling.
struct VectorParams {
  std::int64_t lanes = 1;  ///< element operations per cycle
  Hertz clock{};
  Cycles latency{};                       ///< pipeline depth, paid once per sweep over the data
  std::int64_t transcendental_lanes = 0;  ///< exponentials, reciprocals per cycle; 0 = every lane
  Cycles reduction_step{1};               ///< one level of a reduction tree
};

struct VectorStats {
  std::int64_t operations = 0;
  std::int64_t element_ops = 0;
  Picoseconds busy{};
};

}  // namespace reticle
