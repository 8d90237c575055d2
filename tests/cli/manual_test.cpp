// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tests/cli/process.hpp"

using namespace reticle::test;

TEST_CASE("manual: commands with others below them have their own options in the page") {
  const Outcome page = run_reticle({"manual", "man"});
  REQUIRE(page.code == 0);
  const auto begin = page.out.find(".SS reticle sweep\n");
  REQUIRE(begin != std::string::npos);
  const std::string sweep = page.out.substr(begin, page.out.find(".SS ", begin + 4) - begin);
  for (const char* option : {"file", "out", "jobs", "engine", "retry", "set", "resume", "replace",
                             "tasks", "sbatch", "quiet"}) {
    CAPTURE(option);
    CHECK(contains(sweep, option == std::string{"file"}
                              ? std::string{"\\fIfile\\fR"}
                              : "\\fB\\-\\-" + std::string{option} + "\\fR"));
  }
  CHECK(contains(page.out, ".SS reticle sweep report\n"));
  CHECK(contains(page.out, ".SS reticle manual\n"));
  CHECK_FALSE(contains(page.out, ".SS reticle workload\n"));  // it does nothing by itself
}
