// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/attended.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace reticle;

namespace {

/// Whether a query at position q sees the key at position k <= q, by the definition of each kind.
bool sees(const AttentionSpec& a, std::int64_t q, std::int64_t k) {
  if (a.window == 0) return true;
  if (a.chunked) return k < a.sink_tokens || k / a.window == q / a.window;
  return false;
}

Attended by_hand(const AttentionSpec& a, std::int64_t context, std::int64_t n) {
  Attended sum;
  std::set<std::int64_t> read;
  for (std::int64_t q = context; q < context + n; ++q)
    for (std::int64_t k = 0; k <= q; ++k) {
      if (!sees(a, q, k)) continue;
      ++sum.pairs;
      if (k < context) read.insert(k);
    }
  sum.read = static_cast<std::int64_t>(read.size());
  return sum;
}

Mixer heads(std::int64_t window, bool chunked, std::int64_t sinks) {
  AttentionSpec a{.heads = 4, .kv_heads = 2, .head_dim = 8};
  a.window = window;
  a.chunked = chunked;
  a.sink_tokens = sinks;
  return {"a", a};
}

}  // namespace

TEST_CASE("attended: full and chunked attention, pair by pair") {
  for (const std::int64_t window : {0, 1, 4, 7})
    for (const std::int64_t sinks : {0, 3}) {
      if (window == 0 && sinks > 0) continue;
      const Mixer mixer = heads(window, window > 0, sinks);
      for (std::int64_t context = 0; context < 23; ++context)
        for (std::int64_t n = 1; n < 12; ++n) {
          CAPTURE(window);
          CAPTURE(sinks);
          CAPTURE(context);
          CAPTURE(n);
          const Attended found = attended(mixer, context, n);
          const Attended expected = by_hand(std::get<AttentionSpec>(mixer.of), context, n);
          CHECK(found.pairs == expected.pairs);
          // A chunk may begin among the new tokens: what is cached before it is not read then.
          if (n == 1 || window == 0) CHECK(found.read == expected.read);
        }
    }
}

TEST_CASE("attended: a sliding window sees its own position, those before it and the sinks") {
  for (const std::int64_t sinks : {0, 2})
    for (std::int64_t context = 0; context < 20; ++context)
      for (std::int64_t n = 1; n < 10; ++n) {
        const Attended found = attended(heads(5, false, sinks), context, n);
        std::int64_t pairs = 0;
        for (std::int64_t q = context; q < context + n; ++q)
          pairs += std::min<std::int64_t>(q + 1, 5 + sinks);
        CHECK(found.pairs == pairs);
        CHECK(found.read == std::min<std::int64_t>(context, 5 + sinks - 1));
      }
}

TEST_CASE("attended: a window that is never filled changes nothing") {
  const Attended windowed = attended(heads(1000, false, 0), 500, 20);
  const Attended full = attended(heads(0, false, 0), 500, 20);
  CHECK(windowed.pairs == full.pairs);
  CHECK(windowed.read == full.read);
}

TEST_CASE("attended: an indexer scans everything, attention reads what it picked") {
  LatentAttentionSpec spec{.heads = 2, .kv_rank = 8, .rope_dim = 2, .nope_dim = 4, .value_dim = 4};
  spec.index_heads = 2;
  spec.index_dim = 4;
  spec.index_topk = 16;
  const Attended far = attended({"m", spec}, 1000, 1);
  CHECK(far.read == 16);
  CHECK(far.pairs == 16);
  CHECK(far.scanned == 1000);
  CHECK(far.scanned_pairs == 1001);
  CHECK(attended({"m", spec}, 10, 1).read == 10);
}

TEST_CASE("held_tokens: windows let go, recurrences hold none") {
  CHECK(held_tokens(heads(0, false, 0), 900) == 900);
  CHECK(held_tokens(heads(128, false, 4), 900) == 132);
  CHECK(held_tokens(heads(128, false, 4), 100) == 100);
  CHECK(held_tokens({"r", RecurrentSpec{.heads = 4, .key_heads = 1, .key_dim = 8, .value_dim = 2}},
                    900) == 0);
}

TEST_CASE("state_elements: a state per head, and the taps before the newest token") {
  const RecurrentSpec r{.heads = 4, .key_heads = 2, .key_dim = 8, .value_dim = 3, .conv = 4};
  CHECK(state_elements({"r", r}) == 4 * 8 * 3 + 3 * (2 * 2 * 8 + 4 * 3));
}
