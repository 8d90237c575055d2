// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/base/units.hpp"

namespace reticle {

/// How our requests reach a TLM-2.0 memory.
struct TlmInitiatorParams {
  Bytes capacity{};  ///< of the memory behind: TLM-2.0 has no question for it
  /// Whole runs in one payload, for a target that knows MemoryRunExtension; else plain payloads.
  bool whole_runs = false;
  Bytes chunk{4096};             ///< largest plain payload
  std::int64_t outstanding = 1;  ///< plain payloads under way at a time
};

}  // namespace reticle
