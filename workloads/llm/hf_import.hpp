// SPDX-License-Identifier: Apache-2.0
// A Hugging Face config.json as a LlmSpec.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

struct ImportedLlm {
  LlmSpec llm;
  std::string model_type;           ///< of the config
  std::vector<std::string> notes;   ///< what the config leaves open, and how it was read
  std::vector<std::string> unread;  ///< keys that say something nobody here knows
};

/// Reads `text`, the content of `path`. Throws ConfigError with file:line:col, naming what is
/// missing: a key that the architecture needs, a feature this program does not model, or a
/// model_type it does not know; with `strict`, also any key it does not know. Nothing is guessed.
ImportedLlm import_hf_config(const std::string& path, std::string text, std::string name,
                             bool strict = false);

/// Names of the architectures that are known, sorted.
std::vector<std::string_view> known_model_types();

}  // namespace reticle
