// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/units.hpp"

namespace reticle {

/// What becomes of prompt blocks that no sequence uses any more, and which goes first.
enum class PrefixCachePolicy : std::uint8_t {
  Off,  ///< nothing is shared or kept
  Lru,  ///< kept; the one used longest ago goes first
  Lfu   ///< kept; the one used least often goes first
};

/// When a request is admitted.
enum class Admission : std::uint8_t {
  WholeLife,  ///< pages for prompt and answer are free: nothing is ever taken back
  OnDemand    ///< pages for the prompt are free; a sequence that cannot grow preempts the youngest
};

/// Continuous batching with chunked prefill.
struct ServingSpec {
  std::int64_t max_batch = 256;        ///< requests decoding or prefilling at once
  std::int64_t prefill_tokens = 2048;  ///< prompt tokens a step may carry beside the decodes
  std::int64_t kv_page_tokens = 16;    ///< tokens per KV page
  PrefixCachePolicy prefix_cache = PrefixCachePolicy::Lru;
  Admission admission = Admission::WholeLife;
  double headroom = 0.01;  ///< on demand: share of the KV room an admission leaves free
  /// What a request must keep to count as goodput: arrival to first token, and the mean time per
  /// token after it. Nothing is scheduled by them.
  std::optional<Picoseconds> ttft_limit{}, tpot_limit{};
};

struct PrefixStats {
  std::int64_t blocks = 0;      ///< full prompt blocks of admitted sequences
  std::int64_t hit_blocks = 0;  ///< of these, found in the cache
  std::int64_t hit_tokens = 0;  ///< prompt tokens that need no computing
  std::int64_t evicted = 0;     ///< blocks
};

/// Requests whose cache was given up before they had finished.
struct PreemptionStats {
  std::int64_t preemptions = 0;
  std::int64_t lost_tokens = 0;        ///< cached, given up
  std::int64_t recomputed_tokens = 0;  ///< computed once more, so far as no prefix had them
};

}  // namespace reticle
