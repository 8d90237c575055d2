// SPDX-License-Identifier: Apache-2.0
// Where experts take a limited number of a step's tokens: how many, and what is left out [Fedus et
// al., JMLR 2022].
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace reticle {

/// Tokens an expert takes of a step's `tokens`: the factor times the mean, rounded up.
inline std::int64_t expert_capacity(std::int64_t tokens, std::int64_t top_k, std::int64_t experts,
                                    double factor) {
  const double mean = static_cast<double>(tokens * top_k) / static_cast<double>(experts);
  return std::min(tokens, static_cast<std::int64_t>(std::ceil(factor * mean)));
}

/// Picks that experts with these loads, of one layer and step, drop: sent, but not computed.
inline std::int64_t picks_beyond(std::span<const std::int32_t> loads, std::int64_t capacity) {
  std::int64_t dropped = 0;
  for (const std::int32_t load : loads) dropped += std::max<std::int64_t>(0, load - capacity);
  return dropped;
}

}  // namespace reticle
