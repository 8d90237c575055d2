// SPDX-License-Identifier: Apache-2.0
// Measured serving against simulated serving: not worse than docs/validation/systems.md claims. A
// part of its rows, one benchmark's at one length of prompts and answers, two requests of a client.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/process.hpp"

namespace reticle {
namespace {

using Json = nlohmann::json;
const std::string kRows = RETICLE_SOURCE_DIR "/../shared/measured/systems.csv";

/// Mean |error| over the best stacks' rows of a platform, "all" or one, in per cent.
struct Claim {
  std::string platform, metric;
  double mape;
};
const std::vector<Claim> kClaims{
    {"all", "TPOT", 8.3},
    {"all", "tok/s/GPU", 8.4},
    {"B200-SXM-180GB", "TPOT", 8.8},
    {"B200-SXM-180GB", "tok/s/GPU", 9.1},
    {"H100-SXM5-80GB", "TPOT", 7.4},
    {"H100-SXM5-80GB", "tok/s/GPU", 5.1},
    {"MI300X", "TPOT", 8.0},
    {"MI300X", "tok/s/GPU", 9.2},
};

double mape(const Json& rows, const Claim& claim) {
  double sum = 0;
  int count = 0;
  for (const Json& row : rows) {
    if (!row["best_stack"].get<bool>()) continue;
    if (claim.platform != "all" && row["platform"] != claim.platform) continue;
    if (!row["metric"].get<std::string>().starts_with(claim.metric)) continue;
    sum += std::abs(row["error"].get<double>());
    ++count;
  }
  REQUIRE(count > 0);
  return 100 * sum / count;
}

TEST_CASE("systems: no platform's serving is worse than what is claimed of it") {
  if (!std::filesystem::exists(kRows)) {
    MESSAGE("SKIPPED: ../shared/measured is not here");
    return;
  }
  const auto run = test::run_reticle(
      {"validate", "systems", kRows, "--filter", "1k1k", "--turns", "2", "--json"});
  REQUIRE(run.code == 0);
  const Json rows = Json::parse(run.out)["rows"];
  for (const Claim& claim : kClaims) {
    CAPTURE(claim.platform);
    CAPTURE(claim.metric);
    CHECK(mape(rows, claim) <= claim.mape);
  }
}

}  // namespace
}  // namespace reticle
