// SPDX-License-Identifier: Apache-2.0
// Every way to cut claude-class-mid over ref-asic runs to its end.
#include <cmath>

#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

void check_runs(const std::string& text, const Sets& plan) {
  const json r = steady_report("ref-asic", "claude-class-mid",
                               Sets{"workload.steps=2", "workload.batch=8"} + plan);
  CAPTURE(text);
  CHECK(r["placement"]["plan"]["text"] == text);
  CHECK(r["steps"] == 2);
  CHECK(r["output_tokens"] == 16);
  CHECK(r["requests"]["finished"] == 8);
}

Sets cut(int pipeline, int tensor, int expert) {
  return {"placement.pipeline_parallel=" + std::to_string(pipeline),
          "placement.tensor_parallel=" + std::to_string(tensor),
          "placement.expert_parallel=" + std::to_string(expert)};
}

}  // namespace

TEST_CASE("plans: tensor-parallel") { check_runs("PP1 DP1 TP48 EP1 ETP48", cut(1, 48, 1)); }
TEST_CASE("plans: tensor- and expert-parallel") {
  check_runs("PP1 DP1 TP48 EP12 ETP4", cut(1, 48, 12));
}
TEST_CASE("plans: an expert group per die") {
  check_runs("PP1 DP1 TP48 EP48 ETP1", cut(1, 48, 48));
}
TEST_CASE("plans: replicas with experts dealt out") {
  check_runs("PP1 DP6 TP8 EP12 ETP4", cut(1, 8, 12));
}
TEST_CASE("plans: more replicas than streams have idle dies that still hold experts") {
  check_runs("PP1 DP12 TP4 EP48 ETP1", cut(1, 4, 48));
}
TEST_CASE("plans: of m microbatches p stages are done after p + m - 1 of them") {
  // Each reads a stage's weights anew, which is all that takes time here.
  const auto step = [](int microbatches) {
    return seconds_per_step(steady_report(
        "h100-8", "llama-3-70b",
        {"platform.packages_per_node=2", "platform.die.kernels=none", "workload.batch=4",
         "platform.die.sequencer.launch_gap=0 us", "platform.die.sequencer.step_overhead=0 us",
         "platform.fabric.scale_out.ports=1", "workload.steps=2", "placement.pipeline_parallel=2",
         "placement.microbatches=" + std::to_string(microbatches)}));
  };
  const double one = step(1);
  CHECK(std::abs(step(2) / one / (3.0 / 2) - 1) < 0.01);
  CHECK(std::abs(step(4) / one / (5.0 / 2) - 1) < 0.01);
}
TEST_CASE("plans: microbatches of a plan of one stage are refused") {
  const Outcome outcome =
      run_reticle(steady("h100-8", "llama-3-70b", {"placement.microbatches=2"}));
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("placement.microbatches") != std::string::npos);
}
TEST_CASE("plans: rows that no batch changes cost what the tile has more, and bytes stay") {
  const auto run = [](int batch, int rows) {
    return one_die({"workload.batch=" + std::to_string(batch), "workload.steps=2",
                    "placement.invariant_rows=" + std::to_string(rows)});
  };
  const auto of = [](const json& r, const char* pointer) {
    return r.at(json::json_pointer(pointer)).get<std::int64_t>();
  };
  const json whole = run(64, 0), tiles = run(64, 64), filled = run(3, 64), bare = run(3, 0);
  CHECK(simulated_ps(whole) == simulated_ps(tiles));  // nothing is filled up
  CHECK(of(filled, "/counts/read_bytes/hbm") == of(bare, "/counts/read_bytes/hbm"));
  // The products of 3 tokens are done as those of 64.
  CHECK(of(filled, "/counts/macs/bf16") > 15 * of(bare, "/counts/macs/bf16"));
  CHECK(of(filled, "/counts/macs/bf16") < 64 * of(bare, "/counts/macs/bf16") / 3);
  CHECK(simulated_ps(filled) >= simulated_ps(bare));
}
TEST_CASE("plans: sums in the order of ranks have fewer ways to be made, and none that is faster") {
  for (const char* platform : {"h100-8", "ref-asic"}) {
    CAPTURE(platform);
    const auto step = [&](const std::string& order) {
      return seconds_per_step(
          steady_report(platform, "llama-3-70b",
                        {"workload.batch=64", "workload.steps=2", "placement.rank_order=" + order,
                         "placement.tensor_parallel=8"}));
    };
    CHECK(step("true") >= 0.999 * step("false"));
  }
}
TEST_CASE("plans: stages") { check_runs("PP4 DP1 TP12 EP1 ETP12", cut(4, 12, 1)); }
TEST_CASE("plans: stages of replicas with experts dealt out") {
  check_runs("PP2 DP6 TP4 EP6 ETP4", cut(2, 4, 6));
}
TEST_CASE("plans: a stage per die") { check_runs("PP48 DP1 TP1 EP1 ETP1", cut(48, 1, 1)); }
TEST_CASE("plans: cuts that divide neither heads nor experts") {
  check_runs("PP1 DP1 TP48 EP16 ETP3", cut(1, 48, 16));
  check_runs("PP1 DP16 TP3 EP3 ETP16", cut(1, 3, 3));
}
