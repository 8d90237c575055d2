// SPDX-License-Identifier: Apache-2.0
// No result beats its bound, and the bound is the same whoever computes it.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

struct Scenario {
  const char* platform;
  const char* llm;
  Sets plan;
};

void check_bounded(const Scenario& s) {
  for (const std::string batch : {"1", "8", "64"}) {
    CAPTURE(s.platform);
    CAPTURE(s.llm);
    CAPTURE(batch);
    const json r = steady_report(
        s.platform, s.llm,
        s.plan + Sets{"workload.steps=2", "workload.context=2048", "workload.batch=" + batch});
    CAPTURE(r["placement"]["plan"]["text"].get<std::string>());
    CHECK(r["time_ps"]["busy"].get<std::int64_t>() >=
          r["time_ps"]["roofline_busy"].get<std::int64_t>());
    CHECK(r["time_ps"]["roofline_busy"].get<std::int64_t>() > 0);
    CHECK(r["roofline"]["achieved_fraction"].get<double>() <= 1.0);
    CHECK(r["throughput"]["output_tokens_per_s"].get<double>() <=
          r["roofline"]["tokens_per_s"].get<double>());
  }
}

}  // namespace

TEST_CASE("roofline: llama-3-70b on h100-8 never beats it in the chosen plan") {
  check_bounded({"h100-8", "llama-3-70b", {}});
}
TEST_CASE("roofline: llama-3-70b on h100-8 never beats it in stages") {
  check_bounded(
      {"h100-8", "llama-3-70b", {"placement.pipeline_parallel=4", "placement.tensor_parallel=2"}});
}
TEST_CASE("roofline: llama-3-70b on h100-8 never beats it with its context cut") {
  check_bounded({"h100-8",
                 "llama-3-70b",
                 {"platform.packages_per_node=16", "platform.fabric.scale_out.ports=16",
                  "placement.tensor_parallel=16"}});
}
TEST_CASE("roofline: claude-class-mid on ref-asic never beats it in the chosen plan") {
  check_bounded({"ref-asic", "claude-class-mid", {}});
}
TEST_CASE("roofline: claude-class-mid on ref-asic never beats it with experts dealt out") {
  check_bounded({"ref-asic",
                 "claude-class-mid",
                 {"placement.tensor_parallel=48", "placement.expert_parallel=12"}});
}
TEST_CASE("roofline: claude-class-mid on ref-asic never beats it in stages") {
  check_bounded({"ref-asic", "claude-class-mid", {"placement.pipeline_parallel=4"}});
}
TEST_CASE("roofline: claude-class-mid on two H100 nodes never beats it") {
  check_bounded({"h100-8", "claude-class-mid", {"platform.nodes=2"}});
}
TEST_CASE("roofline: llama-3-70b on ref-asic never beats it") {
  check_bounded({"ref-asic", "llama-3-70b", {}});
}

TEST_CASE("roofline: the fidelity of that name gives the bound that a simulated step reports") {
  for (const Scenario& s :
       {Scenario{"h100-8", "llama-3-70b", {}}, Scenario{"ref-asic", "claude-class-mid", {}},
        Scenario{"ref-asic", "claude-class-mid", {"workload.batch=24"}}}) {
    const Arguments run = steady(s.platform, s.llm, s.plan + Sets{"workload.steps=1"});
    const json simulated = report(run);
    const json bound = report(run + Arguments{"--fidelity", "roofline"});
    CAPTURE(s.platform);
    CHECK(simulated_ps(bound) == simulated["time_ps"]["roofline_busy"].get<std::int64_t>());
    CHECK(bound["roofline"]["bound_by"] == simulated["roofline"]["bound_by"]);
    CHECK(bound["counts"]["macs"] == simulated["counts"]["macs"]);
    CHECK(bound["counts"]["loaded_bytes"] == simulated["counts"]["loaded_bytes"]);
  }
}
