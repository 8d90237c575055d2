// SPDX-License-Identifier: Apache-2.0
#include "sim/base/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

using namespace reticle;

namespace {
std::string message(const SourcePosition& position, std::string_view key) {
  return ConfigError{position, key, "expected 1, found 2"}.what();
}
}  // namespace

TEST_CASE("ConfigError: names file, line, column and key, and leaves out what is unknown") {
  CHECK(message({"a.yaml", 3, 7}, "hbm.banks") == "a.yaml:3:7: hbm.banks: expected 1, found 2");
  CHECK(message({"a.yaml", 3}, "hbm.banks") == "a.yaml:3: hbm.banks: expected 1, found 2");
  CHECK(message({"a.yaml"}, "") == "a.yaml: expected 1, found 2");
  CHECK(message({}, "hbm.banks") == "hbm.banks: expected 1, found 2");
  CHECK(message({}, "") == "expected 1, found 2");
}

TEST_CASE("SourcePosition: a column without a line says nothing") {
  CHECK(to_string({"a.yaml", 0, 7}) == "a.yaml");
}

TEST_CASE("invariant: passes silently, or throws with its reason and place") {
  CHECK_NOTHROW(invariant(true, "never seen"));
  try {
    invariant(false, "bytes in = bytes out");
    FAIL("must throw");
  } catch (const InvariantError& error) {
    const std::string text = error.what();
    CHECK(text.find("error_test.cpp:") != std::string::npos);
    CHECK(text.find("bytes in = bytes out") != std::string::npos);
  }
}

TEST_CASE("errors: the three that cross libraries are caught apart") {
  CHECK_THROWS_AS(throw InfeasibleError("x"), InfeasibleError);
  CHECK_THROWS_AS(throw SimulationError("x"), SimulationError);
  static_assert(!std::is_base_of_v<InfeasibleError, ConfigError>);
  static_assert(!std::is_base_of_v<SimulationError, InfeasibleError>);
}
