// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/rng.hpp"

namespace reticle {

/// In which order `count` modules are built: as they are numbered, in `reverse`, or, where the
/// environment has RETICLE_ELABORATION, shuffled by that seed. Results must not depend on it, which
/// is what it is for (tests, scripts/determinism.sh).
inline std::vector<std::size_t> elaboration_order(std::size_t count, bool reverse,
                                                  std::string_view what) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (reverse) std::reverse(order.begin(), order.end());
  if (const char* seed = std::getenv("RETICLE_ELABORATION")) {
    RngStream rng{fnv1a64(seed), "elaboration/" + std::string{what}};
    for (std::size_t left = count; left > 1; --left)  // Fisher and Yates
      std::swap(order[left - 1], order[rng.below(left)]);
  }
  return order;
}

}  // namespace reticle
