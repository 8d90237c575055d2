// SPDX-License-Identifier: Apache-2.0
#include "sim/config/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace reticle {

namespace {
constexpr std::size_t kLongestWord = 64;  // nobody mistypes longer keys; bounds the work

/// Levenshtein distance: insertions, deletions and replacements.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}
}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) return std::nullopt;
  // One mistake in four letters, three at most: more is another word.
  std::size_t best = 1 + std::min<std::size_t>(3, 1 + word.size() / 4);
  std::optional<std::string> found;
  for (const auto& candidate : candidates) {
    // It takes as many edits at least as one word is longer.
    if (std::max(word.size(), candidate.size()) >= best + std::min(word.size(), candidate.size()))
      continue;
    const std::size_t distance = edits(word, candidate);
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto guess = nearest(word, candidates);
  return guess ? " (did you mean " + *guess + "?)" : std::string{};
}

}  // namespace reticle
