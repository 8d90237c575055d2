// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/mtp_head.hpp"

#include "sim/base/error.hpp"

namespace reticle {

LlmSpec mtp_head(const LlmSpec& llm) {
  if (llm.mtp_layers == 0)
    throw ConfigError(
        {}, "llm.mtp_layers",
        "expected a model with multi-token-prediction heads, " + llm.name + " has none");
  LlmSpec head = llm;
  head.name += "-mtp";
  head.layers = {llm.layers.back()};
  head.mtp_layers = 0;
  head.joins_state = true;
  return head;
}

}  // namespace reticle
