// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

/// Where the figures of a model come from; stands at the head of its file.
struct LlmProvenance {
  std::string title;
  std::string source;
  std::string confidence;
  std::string comment;  ///< lines of a comment, without '#'
};

/// A file of configs/llms that read_llm reads back as `llm`. What has its default is left out.
std::string write_llm(const LlmSpec& llm, const LlmProvenance& provenance);

}  // namespace reticle
