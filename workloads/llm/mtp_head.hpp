// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// A multi-token-prediction head of `llm` as a model of its own that drafts: one layer like the
/// last one, with the model's embedding and output head [DeepSeek-V3, section 2.2]. The projection
/// that joins the token's embedding with the model's state (2 x hidden^2) is left out. Throws
/// ConfigError when the model has no such heads.
LlmSpec mtp_head(const LlmSpec& llm);

}  // namespace reticle
