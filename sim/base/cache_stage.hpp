// SPDX-License-Identifier: Apache-2.0
// What a sequence's cache takes of one die of a pipeline stage, by its length.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

struct CacheStage {
  /// Layers that keep the last `tokens` tokens only.
  struct Window {
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;  ///< of a token
  };
  std::int64_t page_tokens = 1;
  std::int64_t page = 0;  ///< bytes of a page of the layers that keep everything
  std::vector<Window> windows{};
  std::int64_t state = 0;       ///< bytes of recurrences, from the first token on
  std::int64_t room = 0;        ///< bytes for all sequences of a replica
  std::int64_t far_room = 0;    ///< bytes behind the host link, for what has to leave
  std::int64_t flash_room = 0;  ///< likewise of the flash, for what has to leave from there
  std::int64_t near_room = 0;   ///< bytes of SRAM, for pages, where `room` is in HBM

  /// Bytes booked for a sequence of so many tokens: whole pages.
  [[nodiscard]] std::int64_t booked(std::int64_t tokens) const {
    return div_up(tokens, page_tokens) * page + beside(tokens);
  }
  /// Bytes it really fills / of these, those in pages.
  [[nodiscard]] std::int64_t filled(std::int64_t tokens) const {
    return in_pages(tokens) + beside(tokens);
  }
  [[nodiscard]] std::int64_t in_pages(std::int64_t tokens) const {
    return mul_div_up(tokens, page, page_tokens);
  }
  /// Of these, those beside the pages: windows and states.
  [[nodiscard]] std::int64_t beside(std::int64_t tokens) const {
    std::int64_t sum = tokens > 0 ? state : 0;
    for (const Window& w : windows) sum += std::min(tokens, w.tokens) * w.bytes;
    return sum;
  }
  /// Bytes that a block of so many tokens keeps beside its pages, for whoever continues it: its
  /// tokens in the windows, as far as they reach back, and the states at its end.
  [[nodiscard]] std::int64_t snapshot(std::int64_t block_tokens) const {
    return beside(block_tokens);
  }
};

/// Pages of a replica that SRAM has room for: a page is there in all stages or in none.
inline std::int64_t near_pages(std::span<const CacheStage> stages) {
  std::int64_t pages = std::numeric_limits<std::int64_t>::max();
  for (const CacheStage& stage : stages)
    if (stage.page > 0) pages = std::min(pages, stage.near_room / stage.page);
  return pages == std::numeric_limits<std::int64_t>::max() ? 0 : pages;
}

/// Sequences of so many tokens for which every stage has room: for pages in SRAM and HBM together,
/// for windows and states in one of them.
inline std::int64_t sequences_that_fit(std::span<const CacheStage> stages, std::int64_t tokens) {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t near = near_pages(stages);
  for (const CacheStage& stage : stages) {
    if (const std::int64_t each = stage.booked(tokens); each > 0)
      most = std::min(most, (stage.room + near * stage.page) / each);
    if (const std::int64_t beside = stage.beside(tokens); beside > 0)
      most = std::min(most, stage.room / beside);
  }
  return most;
}

/// Tokens of the longest sequence that fits alone; found by halves, for room falls with length.
inline std::int64_t longest_sequence(std::span<const CacheStage> stages) {
  std::int64_t fits = 0, too_long = std::int64_t{1} << 31;
  while (too_long - fits > 1) {
    const std::int64_t middle = fits + (too_long - fits) / 2;
    (sequences_that_fit(stages, middle) >= 1 ? fits : too_long) = middle;
  }
  return fits;
}

}  // namespace reticle
