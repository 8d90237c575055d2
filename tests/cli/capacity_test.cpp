// SPDX-License-Identifier: Apache-2.0
// reticle capacity: what is found fits, and one more does not.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {
const Arguments kSearch{"capacity", "--platform", "h100-8", "--llm", "llama-3-70b", "--json"};

int code_of(std::int64_t streams, std::int64_t context) {
  return run_reticle(steady("h100-8", "llama-3-70b",
                            {"workload.batch=" + std::to_string(streams),
                             "workload.context=" + std::to_string(context - 1), "workload.steps=1",
                             "serving.max_batch=100000"}) +
                     Arguments{"--fidelity", "roofline"})
      .code;
}
}  // namespace

TEST_CASE("capacity: the streams found fit and one more does not") {
  const Outcome outcome = run_reticle(kSearch + Arguments{"--context", "8192,131072"});
  REQUIRE(outcome.code == 0);
  const json found = json::parse(outcome.out);
  REQUIRE(found["rows"].size() == 2);
  for (const json& row : found["rows"]) {
    const std::int64_t streams = row["streams"], context = row["context"];
    CAPTURE(context);
    CHECK(code_of(streams, context) == 0);
    CHECK(code_of(streams + 1, context) == 4);
    CHECK(row["output_tokens_per_s"].get<double>() ==
          doctest::Approx(static_cast<double>(streams) / row["tpot_ms"].get<double>() * 1e3));
  }
  CHECK(found["longest_context"] == 131'072);  // all the model attends to
}

TEST_CASE("capacity: the longest context is bounded by the KV room where that is less") {
  // 17.6 GB of each GPU are weights; 16 KiB of keys and values per token and GPU in FP8.
  const Outcome outcome =
      run_reticle(kSearch + Arguments{"--context", "1024", "--set",
                                      "platform.die.hbm.capacity_per_stack=4 GB"});
  REQUIRE(outcome.code == 0);
  const std::int64_t longest = json::parse(outcome.out)["longest_context"];
  CHECK(longest > 10'000);
  CHECK(longest < 131'072);
}

TEST_CASE("capacity: streams within a limit of latency are fewer and keep it") {
  const Outcome outcome =
      run_reticle(kSearch + Arguments{"--context", "8192", "--tpot-limit", "20ms"});
  REQUIRE(outcome.code == 0);
  const json row = json::parse(outcome.out)["rows"][0];
  CHECK(row["tpot_ms"] > 20.0);
  CHECK(row["streams_within_limit"] < row["streams"]);
  CHECK(row["tpot_ms_within_limit"] <= 20.0);
  CHECK(row["tpot_ms_within_limit"] > 18.0);
}

TEST_CASE("capacity: what cannot be searched is refused") {
  for (const auto& [more, what] : {std::pair{Arguments{"--context", "2"}, "--context"},
                                   {Arguments{"--context", "1000000"}, "attends to no more"},
                                   {Arguments{"--tpot-limit", "-1ms"}, "--tpot-limit"},
                                   {Arguments{"--tpot-limit", "soon"}, "--tpot-limit"}}) {
    const Outcome outcome = run_reticle(kSearch + more);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, what));
  }
}

TEST_CASE("--chips: auto is the fewest that hold it, and no size is set twice") {
  const auto run = [](const Arguments& more) {
    return run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=1"}) +
                       Arguments{"--fidelity", "roofline", "--json"} + more);
  };
  const Outcome found = run({"--chips", "auto"});
  REQUIRE(found.code == 0);
  const auto chips = json::parse(found.out)["deployment"]["chips"].get<int>();
  CHECK(chips == 2);  // 141 GB of weights, 80 GB each
  CHECK(run({"--chips", "1"}).code == 4);
  const Outcome twice = run({"--chips", "2", "--set", "platform.nodes=2"});
  CHECK(twice.code == 3);
  CHECK(twice.err.find("--set platform.nodes=2") != std::string::npos);
}

TEST_CASE("a refused batch names the nodes that hold it: they do, and one fewer does not") {
  const auto run = [](const std::vector<std::string>& more) {
    return run_reticle(
        steady("h100-8", "llama-3-70b",
               std::vector<std::string>{"workload.batch=300", "workload.context=16384",
                                        "workload.steps=1", "serving.max_batch=4096"} +
                   more) +
        Arguments{"--fidelity", "roofline"});
  };
  const Outcome refused = run({});
  REQUIRE(refused.code == 4);
  const std::string key = "--set platform.nodes=";
  const std::size_t at = refused.err.find(key);
  REQUIRE(at != std::string::npos);
  const int nodes = std::stoi(refused.err.substr(at + key.size()));
  CHECK(run({"platform.nodes=" + std::to_string(nodes)}).code == 0);
  CHECK(run({"platform.nodes=" + std::to_string(nodes - 1)}).code == 4);
}
