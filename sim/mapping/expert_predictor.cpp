// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/expert_predictor.hpp"

#include <algorithm>

namespace reticle {

ExpertPredictor::ExpertPredictor(std::int64_t layers, std::int64_t experts, std::int64_t top_k)
    : experts_{experts},
      top_k_{static_cast<std::size_t>(top_k)},
      counts_(static_cast<std::size_t>(layers * experts * experts)),
      best_(static_cast<std::size_t>(layers * experts)) {}

void ExpertPredictor::learn(std::int64_t layer, std::span<const std::uint16_t> here,
                            std::span<const std::uint16_t> next) {
  for (std::size_t token = 0; token < here.size(); token += top_k_)
    for (const std::uint16_t expert : here.subspan(token, top_k_)) {
      const std::size_t at = row(layer, expert);
      std::uint32_t* counts = &counts_[at * static_cast<std::size_t>(experts_)];
      for (const std::uint16_t successor : next.subspan(token, top_k_))
        if (++counts[successor] > counts[best_[at]]) best_[at] = successor;
    }
}

std::vector<std::int32_t> ExpertPredictor::after(std::int64_t layer,
                                                 std::span<const std::int32_t> picks) const {
  std::vector<std::int32_t> expected;
  for (const std::int32_t expert : picks) {
    const std::size_t at = row(layer, expert);
    const std::uint16_t best = best_[at];
    if (counts_[at * static_cast<std::size_t>(experts_) + best] > 0) expected.push_back(best);
  }
  std::ranges::sort(expected);
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  return expected;
}

}  // namespace reticle
