// SPDX-License-Identifier: Apache-2.0
// run --pareto: many batches, each as it would be alone.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {
Arguments front(const std::vector<std::string>& assignments) {
  return steady("h100-8", "llama-3-70b", assignments) + Arguments{"--pareto"};
}
}  // namespace

TEST_CASE("pareto: every batch is what a run of it alone gives, and no chip gives more for less") {
  const Outcome outcome =
      run_reticle(front({"workload.steps=3", "serving.max_batch=24"}) + Arguments{"--json"});
  REQUIRE(outcome.code == 0);
  const json points = json::parse(outcome.out);
  REQUIRE(points.size() == 6);  // 1, 2, 4, 8, 16, 24
  CHECK(points.back()["batch"] == 24);
  double chip = 0, user = 1e9;
  for (const json& p : points) {
    const json alone = json::parse(
        run_reticle(steady("h100-8", "llama-3-70b",
                           {"workload.steps=3", "serving.max_batch=24",
                            "workload.batch=" + std::to_string(p["batch"].get<int>())}) +
                    Arguments{"--json"})
            .out);
    CHECK(p["output_tokens_per_s"] == alone["throughput"]["output_tokens_per_s"]);
    CHECK(p["energy_per_token_j"] == alone["energy"]["per_token_j"]);
    CHECK(p["pareto"] == true);
    CHECK(p["output_tokens_per_s_per_chip"].get<double>() > chip);
    CHECK(p["output_tokens_per_s_per_user"].get<double>() < user);
    chip = p["output_tokens_per_s_per_chip"];
    user = p["output_tokens_per_s_per_user"];
  }
}

TEST_CASE(
    "pareto: the first batch that does not fit is listed with the reason, and ends the list") {
  const Outcome outcome = run_reticle(front({"workload.steps=2", "workload.context=100000"}) +
                                      Arguments{"--jobs", "1"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "do not fit"));
  CHECK(!contains(outcome.out, "     256  "));
}

TEST_CASE("pareto: the order of processes changes nothing, and --out leaves a table") {
  const ScratchDirectory scratch;
  const auto with = [&](const std::string& jobs) {
    return run_reticle(front({"workload.steps=2", "serving.max_batch=8"}) +
                       Arguments{"--json", "--jobs", jobs, "--out", scratch / jobs});
  };
  CHECK(with("1").out == with("4").out);
  CHECK(read_file(scratch / "1/pareto.csv") == read_file(scratch / "4/pareto.csv"));
  CHECK(contains(read_file(scratch / "1/pareto.csv"), "\n8,"));
}

TEST_CASE("pareto: a trace has no batch of its own") {
  const Outcome outcome =
      run_reticle(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                            "sample-chat", "--pareto"});
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "expected a steady decode"));
}
