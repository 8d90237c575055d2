// SPDX-License-Identifier: Apache-2.0
// Measured components against simulated ones: not worse than docs/validation/components.md claims.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/process.hpp"

namespace reticle {
namespace {

using Json = nlohmann::json;
const std::string kRows = RETICLE_SOURCE_DIR "/../shared/measured/components.csv";

/// What is claimed of the rows of a platform and an operation, in per cent.
struct Claim {
  std::string platform, op;
  double median, p90;
};
const std::vector<Claim> kClaims{
};

Json validate(const test::Arguments& more) {
  const auto run = test::run_reticle(test::Arguments{"validate", "components", "--json"} + more);
  REQUIRE(run.code == 0);
  return Json::parse(run.out);
}

TEST_CASE("components: no platform's operation is worse than what is claimed of it") {
  if (!std::filesystem::exists(kRows)) {
    MESSAGE("SKIPPED: ../shared/measured is not here");
    return;
  }
  const Json groups = validate({"--rows", kRows})["groups"];
  for (const Claim& claim : kClaims) {
    CAPTURE(claim.platform);
    CAPTURE(claim.op);
    bool found = false;
    for (const Json& g : groups) {
      if (g["platform"] != claim.platform || g["op"] != claim.op || g["precision"] != "all")
        continue;
      found = true;
      CHECK(100 * g["median"].get<double>() <= claim.median);
      CHECK(100 * g["p90"].get<double>() <= claim.p90);
    }
    CHECK(found);
  }
}

TEST_CASE("components: the published figures that come with the project are met") {
  const Json all = validate({"--rows", RETICLE_SOURCE_DIR "/configs/measured/components.csv"});
  CHECK(all["left_out"].empty());
  for (const Json& g : all["groups"])
    if (g["platform"] == "all" && g["op"] == "all") CHECK(g["median"].get<double>() < 0.25);
}

}  // namespace
}  // namespace reticle
