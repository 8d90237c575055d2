// SPDX-License-Identifier: Apache-2.0
// The hand-written files the fuzzers begin with, and random damage to them, for tests that replay
// them without a fuzzer.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/rng.hpp"

namespace reticle {

struct Sample {
  std::string name;
  std::string text;
};

/// The files of a folder of tests/fuzz, by name.
inline std::vector<Sample> samples_in(const std::string& folder) {
  std::vector<Sample> samples;
  for (const auto& entry :
       std::filesystem::directory_iterator{RETICLE_SOURCE_DIR "/tests/fuzz/" + folder}) {
    std::ifstream in{entry.path(), std::ios::binary};
    samples.push_back({entry.path().stem().string(), {std::istreambuf_iterator<char>{in}, {}}});
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.name < b.name; });
  return samples;
}

/// One to eight edits: a byte changed, a piece dropped, doubled or taken from another sample.
inline std::string damaged(const std::string& text, const std::vector<Sample>& samples,
                           RngStream& rng) {
  constexpr std::string_view kBytes = "\0\xff\"{}[],:-9.e\n\r \\";
  std::string result = text;
  const std::uint64_t edits = 1 + rng.below(8);
  for (std::uint64_t i = 0; i < edits && !result.empty(); ++i) {
    const std::size_t at = rng.below(result.size());
    const std::size_t length = std::min<std::size_t>(1 + rng.below(40), result.size() - at);
    switch (rng.below(5)) {
      case 0:
        result[at] = kBytes[rng.below(kBytes.size())];
        break;
      case 1:
        result.erase(at, length);
        break;
      case 2:
        result.insert(at, result.substr(at, length));
        break;
      case 3:
        result[at] = static_cast<char>(rng.below(256));
        break;
      default: {
        const std::string& other = samples[rng.below(samples.size())].text;
        result.insert(at, other.substr(rng.below(other.size()), length));
      }
    }
  }
  return result;
}

}  // namespace reticle
