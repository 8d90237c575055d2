// SPDX-License-Identifier: Apache-2.0
// The fuzzers' entry point over configs, orders, recordings and counts, and random damage to them.
#include <doctest/doctest.h>

#include <string>

#include "tests/fuzz/damage.hpp"
#include "tests/fuzz/model_entry.hpp"

using namespace reticle;

TEST_CASE("fuzz: files of every kind the importer and the routing readers know") {
  const auto samples = samples_in("models");
  CHECK(samples.size() >= 9);
  for (const Sample& sample : samples) {
    CAPTURE(sample.name);
    CHECK(read_any_model(sample.text) == !sample.name.ends_with("_bad"));
  }
}

TEST_CASE("fuzz: random damage to them is read or a ConfigError") {
  const auto samples = samples_in("models");
  RngStream rng{1, "fuzz/models"};
  int read = 0;
  for (int round = 0; round < 300; ++round)
    for (const Sample& sample : samples)
      read += read_any_model(damaged(sample.text, samples, rng)) ? 1 : 0;
  CHECK(read > 30);
}
