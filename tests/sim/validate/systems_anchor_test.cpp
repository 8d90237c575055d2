// SPDX-License-Identifier: Apache-2.0
// Measured serving against simulated serving: not worse than docs/validation/systems.md claims.
#include <doctest/doctest.h>

#include <algorithm>
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

/// Mean |error| over the best stacks' values of a kind, in per cent.
struct Claim {
  std::vector<std::string> metrics;  ///< beginnings
  double mape;
};
const std::vector<Claim> kClaims{
    {{"TPOT", "ITL", "tok/s/user"}, 11.9},
    {{"tok/s/GPU output", "tok/s total output"}, 13.4},
    {{"TTFT"}, 16.9},
    {{"E2E"}, 29.7},
    {{"J/token"}, 21.5},
};

double mape(const Json& rows, const Claim& claim) {
  double sum = 0;
  int count = 0;
  for (const Json& row : rows) {
    const auto metric = row["metric"].get<std::string>();
    const bool of_kind = std::ranges::any_of(
        claim.metrics, [&](const std::string& begin) { return metric.starts_with(begin); });
    if (!row["best_stack"].get<bool>() || !of_kind) continue;
    sum += std::abs(row["error"].get<double>());
    ++count;
  }
  REQUIRE(count > 0);
  return 100 * sum / count;
}

TEST_CASE("systems: no kind of figure is worse than what is claimed of it") {
  if (!std::filesystem::exists(kRows)) {
    MESSAGE("SKIPPED: ../shared/measured is not here");
    return;
  }
  const auto run = test::run_reticle({"validate", "systems", kRows, "--json"});
  REQUIRE(run.code == 0);
  const Json rows = Json::parse(run.out)["rows"];
  for (const Claim& claim : kClaims) {
    CAPTURE(claim.metrics.front());
    CHECK(mape(rows, claim) <= claim.mape);
  }
}

TEST_CASE("systems: the published figures that come with the project are met") {
  const auto run =
      test::run_reticle({"validate", "systems", "--rows",
                         RETICLE_SOURCE_DIR "/configs/measured/systems.csv", "--json"});
  REQUIRE(run.code == 0);
  const Json all = Json::parse(run.out);
  CHECK(all["left_out"].empty());
  for (const Json& row : all["rows"]) {
    CAPTURE(row["run_id"].get<std::string>());
    CHECK(std::abs(row["error"].get<double>()) < 0.25);
  }
}

}  // namespace
}  // namespace reticle
