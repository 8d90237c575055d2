// SPDX-License-Identifier: Apache-2.0
#include "models/sram/sram_layout.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

SramLayout::SramLayout(const SramParams& params)
    : banks_{params.banks},
      width_{params.width.count()},
      stripe_{std::max<std::int64_t>(1, params.interleave.count() / params.width.count())},
      capacity_words_{std::max<std::int64_t>(1, params.capacity.count() / params.width.count())},
      words_(static_cast<std::size_t>(params.banks)) {
  invariant(banks_ > 0 && params.ports > 0 && width_ > 0, "SRAM shape");
}

void SramLayout::add(std::int64_t first_word, std::int64_t count) {
  total_ += count;
  const std::int64_t round = stripe_ * banks_;
  if (const std::int64_t rounds = count / round; rounds > 0)
    for (std::int64_t& words : words_) words += rounds * stripe_;
  std::int64_t rest = count % round;
  std::int64_t bank = first_word / stripe_ % banks_;
  for (std::int64_t offset = first_word % stripe_; rest > 0; offset = 0) {
    const std::int64_t here = std::min(rest, stripe_ - offset);
    words_[static_cast<std::size_t>(bank)] += here;
    rest -= here;
    bank = bank + 1 == banks_ ? 0 : bank + 1;
  }
}

const std::vector<std::int64_t>& SramLayout::words(const MemoryRun& run) {
  std::fill(words_.begin(), words_.end(), 0);
  total_ = 0;
  const std::int64_t address = run.address.count();
  const std::int64_t bytes = run.bytes.count();
  const std::int64_t piece = run.piece.count();
  if (piece == 0 || piece >= bytes) {
    const std::int64_t first = address / width_;
    if (bytes > 0) add(first, (address + bytes - 1) / width_ - first + 1);
    return words_;
  }
  const std::int64_t slot = div_up(piece, width_);
  const auto slots = static_cast<std::uint64_t>(std::max<std::int64_t>(1, capacity_words_ / slot));
  const std::uint64_t seed = mix64(static_cast<std::uint64_t>(address));
  for (std::int64_t begin = 0, i = 0; begin < bytes; begin += piece, ++i) {
    const auto at =
        static_cast<std::int64_t>(mix64(seed + static_cast<std::uint64_t>(i)) % slots) * slot;
    add(at, div_up(std::min(piece, bytes - begin), width_));
  }
  return words_;
}

}  // namespace reticle
