// SPDX-License-Identifier: Apache-2.0
// resolved.yaml alone repeats a run, byte for byte.
#include <doctest/doctest.h>

#include "tests/cli/process.hpp"

using namespace reticle::test;

namespace {

void check_reproduced(const Arguments& run) {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(run + Arguments{"--out", scratch / "a"}).code == 0);
  const Outcome again =
      run_reticle({"run", "--resolved", scratch / "a/resolved.yaml", "--out", scratch / "b"});
  CAPTURE(again.err);
  REQUIRE(again.code == 0);
  CHECK(without_simulator(read_file(scratch / "a/report.json")) ==
        without_simulator(read_file(scratch / "b/report.json")));
  for (const char* name : {"resolved.yaml", "requests.csv", "residency.csv"}) {
    CAPTURE(name);
    CHECK(read_file(scratch / (std::string{"a/"} + name)) ==
          read_file(scratch / (std::string{"b/"} + name)));
  }
}

}  // namespace

TEST_CASE("resolved: a steady decode with overrides and a seed comes out the same") {
  check_reproduced(
      steady("ref-asic", "claude-class-mid",
             {"workload.steps=2", "workload.batch=3", "platform.die.sram.clock=1.1 GHz",
              "placement.sram_fraction=0.2", "serving.max_batch=17"}) +
      Arguments{"--seed", "42"});
}

TEST_CASE("resolved: a trace comes out the same") {
  check_reproduced(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                             "sample-chat"} +
                   sets({"workload.limit=12"}));
}

TEST_CASE("resolved: roofline fidelity comes out the same") {
  check_reproduced(steady("h100-8", "llama-3-70b", {"workload.steps=2"}) +
                   Arguments{"--fidelity", "roofline"});
}

TEST_CASE("resolved: a trace given as a file comes out the same") {
  check_reproduced(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                             RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl:reticle"} +
                   sets({"workload.limit=5"}));
}

TEST_CASE("resolved: it names platform and model itself and takes no others") {
  const ScratchDirectory scratch;
  const Arguments run = steady("h100-8", "llama-3-70b", {"workload.steps=1"});
  REQUIRE(run_reticle(run + Arguments{"--out", scratch / "a"}).code == 0);
  const Outcome outcome = run_reticle(run + Arguments{"--resolved", scratch / "a/resolved.yaml"});
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "alone"));
}

TEST_CASE("samples: the shipped traces are what the generator writes") {
  const ScratchDirectory scratch;
  for (const std::string name : {"chat-200", "agent-60"}) {
    CAPTURE(name);
    REQUIRE(run_reticle({"workload", "generate", "--like", name, "--out", scratch / name}).code ==
            0);
    CHECK(read_file(scratch / name) ==
          read_file(RETICLE_SOURCE_DIR "/workloads/samples/" + name + ".jsonl"));
  }
}
