// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// A multi-token-prediction head of `llm` as a model of its own that drafts: one layer like the
/// last one behind a projection of the token's embedding and the model's state to one stream
/// (2 hidden x hidden), with the model's embedding and output head [DeepSeek-V3, section 2.2].
/// Throws ConfigError when the model has no such heads.
LlmSpec mtp_head(const LlmSpec& llm);

}  // namespace reticle
