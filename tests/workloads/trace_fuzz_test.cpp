// SPDX-License-Identifier: Apache-2.0
// The fuzzers' entry point over the hand-written corpus and random damage to it.
#include <doctest/doctest.h>

#include <string>

#include "tests/fuzz/damage.hpp"
#include "tests/fuzz/trace_entry.hpp"

using namespace reticle;

TEST_CASE("fuzz: the corpus holds good and bad files of every format") {
  const auto samples = samples_in("traces");
  CHECK(samples.size() >= 11);
  for (const Sample& sample : samples) {
    CAPTURE(sample.name);
    const std::int64_t got = read_any_trace(sample.text, "", false);
    const bool bad = sample.name.ends_with("_bad") || sample.name.ends_with("_deep");
    CHECK((got > 0) == !bad);
  }
}

TEST_CASE("fuzz: random damage gives a trace or a ConfigError, in any format") {
  const auto samples = samples_in("traces");
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
