// SPDX-License-Identifier: Apache-2.0
// The fuzzers' entry point over the hand-written corpus and random damage to it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sim/base/rng.hpp"
#include "tests/fuzz/trace_entry.hpp"

using namespace reticle;

namespace {

struct Sample {
  std::string name;
  std::string text;
};

std::vector<Sample> corpus() {
  std::vector<Sample> samples;
  for (const auto& entry :
       std::filesystem::directory_iterator{RETICLE_SOURCE_DIR "/tests/fuzz/corpus"}) {
    std::ifstream in{entry.path(), std::ios::binary};
    samples.push_back({entry.path().stem().string(), {std::istreambuf_iterator<char>{in}, {}}});
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.name < b.name; });
  return samples;
}

/// One to eight edits: a byte changed, a piece dropped, doubled or taken from another sample.
std::string damaged(const std::string& text, const std::vector<Sample>& samples, RngStream& rng) {
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

}  // namespace

TEST_CASE("fuzz: the corpus holds good and bad files of every format") {
  const auto samples = corpus();
  CHECK(samples.size() >= 11);
  for (const Sample& sample : samples) {
    CAPTURE(sample.name);
    const std::int64_t got = read_any_trace(sample.text, "", false);
    const bool bad = sample.name.ends_with("_bad") || sample.name.ends_with("_deep");
    CHECK((got > 0) == !bad);
  }
}

TEST_CASE("fuzz: random damage gives a trace or a ConfigError, in any format") {
  const auto samples = corpus();
  RngStream rng{1, "fuzz"};
  std::int64_t read = 0;
  for (int round = 0; round < 300; ++round)
    for (const Sample& sample : samples) {
      const std::string text = damaged(sample.text, samples, rng);
      for (const std::string_view format : {"", "coding-agent", "mooncake", "reticle"})
        read += read_any_trace(text, format, (round & 1) != 0) > 0 ? 1 : 0;
    }
  CHECK(read > 100);  // not all are refused at their first byte
}
