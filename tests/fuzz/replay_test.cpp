// SPDX-License-Identifier: Apache-2.0
// What the fuzzers begin with, what once made them stop, and random damage to both, without a
// fuzzer. A file called *_bad is refused, one called crash_* is read or refused, others are read.
#include <doctest/doctest.h>

#include <string>

#include "sim/config/yaml_reader.hpp"
#include "tests/fuzz/config_entry.hpp"
#include "tests/fuzz/damage.hpp"
#include "tests/fuzz/registry_entry.hpp"
#include "tests/fuzz/report_entry.hpp"
#include "tests/fuzz/store_entry.hpp"
#include "tests/fuzz/table_entry.hpp"
#include "tests/fuzz/text_entry.hpp"

using namespace reticle;

namespace {
template <class Read>
void replay(const std::string& folder, int rounds, Read read) {
  const auto samples = samples_in(folder);
  REQUIRE(samples.size() >= 3);
  for (const Sample& sample : samples) {
    CAPTURE(sample.name);
    const bool taken = read(sample.text);
    if (sample.name.ends_with("_bad"))
      CHECK(!taken);
    else if (!sample.name.starts_with("crash"))
      CHECK(taken);
  }
  RngStream rng{1, "fuzz/" + folder};
  int taken = 0;
  for (int round = 0; round < rounds; ++round)
    for (const Sample& sample : samples) taken += read(damaged(sample.text, samples, rng)) ? 1 : 0;
  CHECK(taken > 0);  // not all are refused at their first byte
}
}  // namespace

TEST_CASE("fuzz: single values") { replay("texts", 200, read_any_text); }
TEST_CASE("fuzz: configurations") {
  const KeepYaml tables;
  replay("configs", 30, read_any_config);
}
TEST_CASE("fuzz: the registry") { replay("registry", 100, read_any_registry); }
TEST_CASE("fuzz: reports that are read again") {
  replay("reports", 30, [](const std::string& text) { return read_any_report(text) > 0; });
}
TEST_CASE("fuzz: the store of a sweep") { replay("store", 100, read_any_store); }
TEST_CASE("fuzz: tables of measurements") { replay("tables", 100, read_any_table); }
