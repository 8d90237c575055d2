// SPDX-License-Identifier: Apache-2.0
// What a thing is, worked out from its figures: a list of labelled facts, printed or as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/config/run_spec.hpp"

namespace reticle {

/// One fact: for people `label: text`, for programs `key: value` (numbers in SI base units).
struct Fact {
  std::string section;
  std::string key;
  std::string label;
  std::string text;
  nlohmann::ordered_json value;
};

std::vector<Fact> describe(const PlatformSpec& platform, const std::vector<ResolvedValue>& values);
std::vector<Fact> describe(const LlmSpec& llm);

}  // namespace reticle
