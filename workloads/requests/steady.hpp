// SPDX-License-Identifier: Apache-2.0
// Steady decode: `batch` streams at a given context generate `steps` tokens each.
#pragma once

#include <cstdint>

namespace reticle {

struct SteadyDecode {
  std::int64_t batch = 1;
  std::int64_t context = 1024;  ///< tokens already in the KV cache at the first step
  std::int64_t steps = 1;
};

}  // namespace reticle
