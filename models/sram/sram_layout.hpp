// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/memory/memory_spec.hpp"
#include "models/sram/sram_spec.hpp"

namespace reticle {

/// Which words of which bank a run touches: one word is one cycle of a bank's port. Both forms of
/// the SRAM ask here, so that they differ in arbitration alone.
///
/// Models:     interleaving from the run's address on; a word is moved whole however few of its
///             bytes are asked for; pieces of a scattered run lie in slots of their own size.
/// Leaves out: real page tables: a run does not say where its pieces are, so each takes a slot
/// drawn
///             by a hash of the run's address and the piece's number.
class SramLayout {
 public:
  explicit SramLayout(const SramParams& params);

  /// Words of `run` in each bank; valid until the next call.
  const std::vector<std::int64_t>& words(const MemoryRun& run);
  /// How many words that are in all.
  [[nodiscard]] std::int64_t total() const { return total_; }

 private:
  void add(std::int64_t first_word, std::int64_t count);

  const std::int64_t banks_;
  const std::int64_t width_;
  const std::int64_t stripe_;  ///< words in one bank before the next
  const std::int64_t capacity_words_;
  std::vector<std::int64_t> words_;
  std::int64_t total_ = 0;
};

}  // namespace reticle
