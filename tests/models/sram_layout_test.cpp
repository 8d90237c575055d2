// SPDX-License-Identifier: Apache-2.0
#include "models/sram/sram_layout.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "sim/base/rng.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

TEST_CASE("SramLayout: a contiguous run touches the words its bytes lie in, byte by byte") {
  RngStream rng{5, "sram layout"};
  for (const std::int64_t stripe : {64, 192, 512}) {
    SramParams p = kSram;
    p.interleave = Bytes{stripe};
    SramLayout layout{p};
    for (int i = 0; i < 300; ++i) {
      const auto address = static_cast<std::int64_t>(rng.below(1 << 18));
      const auto bytes = static_cast<std::int64_t>(1 + rng.below(9000));
      std::vector<std::int64_t> expected(static_cast<std::size_t>(p.banks));
      for (std::int64_t b = address; b < address + bytes; ++b)
        if (b == address || b % p.width.count() == 0)
          ++expected[static_cast<std::size_t>(b / stripe % p.banks)];
      CHECK(layout.words({Access::Read, Bytes{address}, Bytes{bytes}, {}}) == expected);
      CHECK(layout.total() == std::accumulate(expected.begin(), expected.end(), std::int64_t{0}));
    }
  }
}

TEST_CASE("SramLayout: every piece of a scattered run takes whole words, over all banks") {
  SramLayout layout{kSram};
  for (const std::int64_t piece : {8, 64, 100, 1000}) {
    const std::int64_t pieces = 4000;
    const auto& words = layout.words({Access::Read, 0_B, Bytes{pieces * piece}, Bytes{piece}});
    CHECK(layout.total() == pieces * div_up(piece, kSram.width.count()));
    // Slots are drawn alike for all banks: no bank is 15 % off its share (binomial: 5 sigma).
    for (const std::int64_t w : words) {
      CHECK(w * kSram.banks > layout.total() * 85 / 100);
      CHECK(w * kSram.banks < layout.total() * 115 / 100);
    }
  }
}

TEST_CASE("SramLayout: the last piece of a scattered run may be short") {
  SramLayout layout{kSram};
  layout.words({Access::Read, 0_B, 1001_B, 500_B});
  CHECK(layout.total() == 8 + 8 + 1);
}

}  // namespace
}  // namespace reticle
