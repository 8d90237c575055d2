// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/base/cache_stage.hpp"
#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// What a sequence's cache takes on one die that has it all: no plan makes it smaller together.
CacheStage whole_cache(const LlmSpec& llm, std::int64_t page_tokens);

}  // namespace reticle
