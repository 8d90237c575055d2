// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reticle {

/// Continuous batching with chunked prefill.
struct ServingSpec {
  std::int64_t max_batch = 256;        ///< requests decoding or prefilling at once
  std::int64_t prefill_tokens = 2048;  ///< prompt tokens a step may carry beside the decodes
  std::int64_t kv_page_tokens = 16;    ///< tokens per KV page
};

}  // namespace reticle
