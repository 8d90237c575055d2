// SPDX-License-Identifier: Apache-2.0
// Prefix reuse and preemption in whole runs.
#include <cmath>

#include "tests/sim/engine/run_fixture.hpp"
#include "workloads/llm/attended.hpp"

using namespace reticle::test;

namespace {

json agents(const Sets& sets) {
  return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                          "sample-agent"} +
                reticle::test::sets(Sets{"llm.max_context=200000"} + sets));
}

/// Of a sequence, all layers together.
std::int64_t state_bytes(const std::string& name) {
  const reticle::LlmSpec llm = catalogue_llm(name);
  std::int64_t elements = 0;
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer)
    if (const reticle::Mixer* mixer = llm.mixer_of(layer)) elements += state_elements(*mixer);
  return reticle::bytes_of(elements, llm.state).count();
}

}  // namespace

TEST_CASE("prefix cache: of requests that come one by one it finds what the trace repeats") {
  // A tenth of a per cent of the rate: every request finds the machine idle.
  const json r = agents({"workload.rate_scale=0.001"});
  const json& residency = r["residency"];
  CHECK(residency["evicted_blocks"] == 0);
  const Outcome described = run_reticle(
      {"workload", "describe", RETICLE_SOURCE_DIR "/workloads/samples/agent-60.jsonl", "--json"});
  REQUIRE(described.code == 0);
  const json trace = json::parse(described.out);
  CAPTURE(trace.dump());
  const double repeated =
      trace["prefix"]["hit_block_fraction"].get<double>() * trace["prefix"]["blocks"].get<double>();
  CHECK(residency["prefix_hit_blocks"] == std::llround(repeated));
  CHECK(residency["prefix_blocks"] == trace["prefix"]["blocks"]);
  // What is found is not computed.
  const json off = agents({"workload.rate_scale=0.001", "serving.prefix_cache=off"});
  CHECK(off["residency"]["prefix_hit_fraction"].is_null());
  CHECK(off["prefill_tokens"].get<std::int64_t>() - r["prefill_tokens"].get<std::int64_t>() ==
        residency["prefix_hit_tokens"].get<std::int64_t>());
  CHECK(r["latency"]["ttft_ms"]["mean"].get<double>() <
        0.5 * off["latency"]["ttft_ms"]["mean"].get<double>());
  CHECK(r["output_tokens"] == off["output_tokens"]);
}

TEST_CASE("prefix cache: layers with windows or states find as much, and states are copied") {
  struct Case {
    const char* llm;
    bool states;
  };
  for (const auto& [llm, states] :
       {Case{"gpt-oss-120b", false}, Case{"nemotron-3-nano-30b-a3b", true}}) {
    CAPTURE(llm);
    const auto run = [llm = llm](const std::string& cache) {
      return report(
          Arguments{"run", "--platform", "h100-8", "--llm", llm, "--workload", "sample-agent"} +
          sets({"llm.max_context=300000", "workload.rate_scale=0.001",
                "serving.prefix_cache=" + cache}));
    };
    const json on = run("lru"), off = run("off"), pages = agents({"workload.rate_scale=0.001"});
    const json& residency = on["residency"];
    CHECK(residency["evicted_blocks"] == 0);
    CHECK(residency["prefix_hit_blocks"] == pages["residency"]["prefix_hit_blocks"]);
    CHECK(off["prefill_tokens"].get<std::int64_t>() - on["prefill_tokens"].get<std::int64_t>() ==
          residency["prefix_hit_tokens"].get<std::int64_t>());
    CHECK(on["latency"]["ttft_ms"]["mean"].get<double>() <
          0.7 * off["latency"]["ttft_ms"]["mean"].get<double>());
    // A copy for each block that was completed, and for each sequence that continued one.
    const auto copied = residency["prefix_copied_bytes"].get<std::int64_t>();
    const std::int64_t completed = residency["prefix_blocks"].get<std::int64_t>() -
                                   residency["prefix_hit_blocks"].get<std::int64_t>();
    CHECK((copied > 0) == states);
    if (states) {
      const std::int64_t bytes = state_bytes(llm);
      CHECK(copied % bytes == 0);
      CHECK(copied / bytes > completed);
      CHECK(copied / bytes <= completed + on["requests"]["finished"].get<std::int64_t>());
    }
    CHECK(on["output_tokens"] == off["output_tokens"]);
  }
}

TEST_CASE("preemption: a machine short of room serves all, and computes some tokens twice") {
  const Sets tight{"platform.die.hbm.capacity_per_stack=3.7 GB", "placement.kv_share=1",
                   "serving.prefix_cache=off"};
  const auto chat = [&](const std::string& admission) {
    return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                            "sample-chat"} +
                  sets(Sets{"workload.rate_scale=20", "serving.admission=" + admission} + tight));
  };
  const json whole = chat("whole-life"), demand = chat("on-demand");
  CHECK(whole["residency"]["preemptions"] == 0);
  CHECK(demand["residency"]["preemptions"].get<std::int64_t>() > 0);
  CHECK(demand["residency"]["recomputed_tokens"].get<std::int64_t>() > 0);
  CHECK(demand["requests"]["finished"] == whole["requests"]["finished"]);
  CHECK(demand["output_tokens"] == whole["output_tokens"]);
}

TEST_CASE("prefix cache: pages must divide the trace's blocks") {
  const Outcome outcome = run_reticle(Arguments{"run", "--platform", "h100-8", "--llm",
                                                "llama-3-70b", "--workload", "sample-agent"} +
                                      sets({"serving.kv_page_tokens=48"}));
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("serving.kv_page_tokens: expected pages that divide") !=
        std::string::npos);
}

TEST_CASE("room: as many streams fit as the report says, and not one more") {
  const auto run = [](std::int64_t batch) {
    return run_reticle(steady("h100-8", "llama-3-70b",
                              Sets{"llm.max_context=40000", "placement.tensor_parallel=8",
                                   "workload.context=32766", "workload.steps=2",
                                   "workload.batch=" + std::to_string(batch)}) +
                       Arguments{"--json"});
  };
  const Outcome one = run(1);
  REQUIRE(one.code == 0);
  const json streams = json::parse(one.out)["placement"]["kv"]["streams"];
  const json& at_32k = streams[1];
  REQUIRE(at_32k["context"] == 32'768);
  const std::int64_t most = at_32k["streams"];
  CHECK(most > 1);
  CHECK(run(most).code == 0);
  CHECK(run(most + 1).code == 4);
}
