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
    {"a100-8", "allgather", 3.9, 21.7},
    {"a100-8", "allreduce", 11.4, 37.5},
    {"a100-8", "alltoall", 13.4, 27.9},
    {"a100-8", "attention_decode", 19.3, 26.5},
    {"a100-8", "attention_prefill", 1.5, 3.2},
    {"a100-8", "gemm", 5.3, 19.2},
    {"a100-8", "moe", 9.6, 21.9},
    {"a100-8", "reducescatter", 6.6, 21.1},
    {"all", "all", 6.8, 24.6},
    {"b200-8", "allgather", 3.4, 18.5},
    {"b200-8", "allreduce", 7.5, 19.6},
    {"b200-8", "alltoall", 14.6, 26.8},
    {"b200-8", "alltoall_combine", 2.2, 8.3},
    {"b200-8", "alltoall_dispatch", 2.0, 17.1},
    {"b200-8", "attention_decode", 9.9, 19.6},
    {"b200-8", "attention_prefill", 5.9, 18.9},
    {"b200-8", "gemm", 5.7, 15.5},
    {"b200-8", "mla_decode", 9.0, 35.9},
    {"b200-8", "moe", 11.4, 36.8},
    {"b200-8", "reducescatter", 2.8, 3.4},
    {"gb200-nvl72", "alltoall_combine", 4.4, 31.6},
    {"gb200-nvl72", "alltoall_dispatch", 7.4, 18.6},
    {"h100-8", "allgather", 7.9, 17.4},
    {"h100-8", "allreduce", 8.5, 29.1},
    {"h100-8", "alltoall", 13.0, 31.0},
    {"h100-8", "alltoall_combine", 4.2, 14.0},
    {"h100-8", "alltoall_dispatch", 3.1, 10.2},
    {"h100-8", "attention_decode", 8.2, 20.5},
    {"h100-8", "attention_prefill", 2.4, 7.0},
    {"h100-8", "gemm", 4.8, 10.2},
    {"h100-8", "mla_decode", 5.6, 20.0},
    {"h100-8", "moe", 8.2, 34.8},
    {"h100-8", "reducescatter", 2.4, 20.2},
    {"h800-8", "mla_decode", 7.9, 20.6},
    {"mi300x-8", "gemm", 16.2, 47.7},
    {"mi300x-8", "moe", 1.4, 4.9},
};

Json validate(const test::Arguments& more) {
  test::Arguments arguments{"validate", "components", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto run = test::run_reticle(arguments);
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
