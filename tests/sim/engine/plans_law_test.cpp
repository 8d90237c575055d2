// SPDX-License-Identifier: Apache-2.0
// Every way to cut claude-class-mid over ref-asic runs to its end.
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
TEST_CASE("plans: stages") { check_runs("PP4 DP1 TP12 EP1 ETP12", cut(4, 12, 1)); }
TEST_CASE("plans: stages of replicas with experts dealt out") {
  check_runs("PP2 DP6 TP4 EP6 ETP4", cut(2, 4, 6));
}
TEST_CASE("plans: a stage per die") { check_runs("PP48 DP1 TP1 EP1 ETP1", cut(48, 1, 1)); }
TEST_CASE("plans: cuts that divide neither heads nor experts") {
  check_runs("PP1 DP1 TP48 EP16 ETP3", cut(1, 48, 16));
  check_runs("PP1 DP16 TP3 EP3 ETP16", cut(1, 3, 3));
}
