// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "sim/config/config_node.hpp"

namespace reticle {

/// The index of a key's word in a list, or an error that names them all.
template <std::size_t n>
std::size_t word_of(const ConfigNode& node, std::string_view key,
                    const std::array<std::string_view, n>& words) {
  const auto text = node.get<std::string>(key);
  node.takes_words(key, {words.begin(), words.end()});
  const auto found = std::ranges::find(words, text);
  std::string known;
  for (const auto word : words) known += (known.empty() ? "" : ", ") + std::string{word};
  node.check(key, found != words.end(), "expected one of " + known);
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace reticle
