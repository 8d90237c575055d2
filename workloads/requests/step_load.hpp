// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/ids.hpp"

namespace reticle {

/// What one sequence asks of a step.
struct SequenceWork {
  RequestId request{};
  std::int64_t context = 0;     ///< tokens in the cache before the step = position of the first new
  std::int64_t new_tokens = 1;  ///< 1 when decoding, a chunk of the prompt when prefilling
  std::int32_t replica = 0;     ///< attention replica that holds the sequence's KV
  std::int64_t outputs = 1;     ///< positions whose logits are computed: 0 inside a prompt
  /// Of the new tokens, those that a draft proposes before the step, which verifies them.
  std::int64_t drafts = 0;
};

struct StepLoad {
  std::vector<SequenceWork> sequences;
};

}  // namespace reticle
