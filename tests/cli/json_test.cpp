// SPDX-License-Identifier: Apache-2.0
// --json: exactly one document on stdout and nothing else there.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {

/// Throws unless the whole text is one document.
json only_document(const std::string& text) { return json::parse(text); }

const Arguments kChat{"run",         "--platform", "h100-8",     "--llm",
                      "llama-3-70b", "--workload", "sample-chat"};

}  // namespace

TEST_CASE("json: a run prints one document with the keys of the contract") {
  const Outcome outcome =
      run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=1"}) + Arguments{"--json"});
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  const json report = only_document(outcome.out);
  for (const char* path : {"/schema",
                           "/inputs/platform",
                           "/inputs/llm",
                           "/inputs/workload",
                           "/inputs/serving",
                           "/inputs/seed",
                           "/inputs/fidelity",
                           "/inputs/digest",
                           "/reticle_version",
                           "/deployment/nodes",
                           "/deployment/packages",
                           "/deployment/dies",
                           "/deployment/chips",
                           "/feasible/fits",
                           "/feasible/limits",
                           "/throughput/output_tokens_per_s",
                           "/throughput/per_chip",
                           "/throughput/total_tokens_per_s",
                           "/steps",
                           "/output_tokens",
                           "/simulated_s",
                           "/latency/ttft_ms",
                           "/latency/tpot_ms",
                           "/latency/e2e_ms",
                           "/latency/single_stream_tokens_per_s",
                           "/roofline/tokens_per_s",
                           "/roofline/bound_by",
                           "/time_breakdown/weights_hbm",
                           "/time_breakdown/weights_sram",
                           "/time_breakdown/kv",
                           "/time_breakdown/mac",
                           "/time_breakdown/vector",
                           "/time_breakdown/fabric_latency",
                           "/time_breakdown/fabric_transfer",
                           "/time_breakdown/launch",
                           "/time_breakdown/idle",
                           "/energy/total_j",
                           "/energy/per_token_j",
                           "/energy/average_power_w",
                           "/energy/by_component",
                           "/memory/tiers/0/name",
                           "/memory/tiers/0/capacity_bytes",
                           "/memory/tiers/0/weights_bytes",
                           "/memory/tiers/0/kv_peak_bytes",
                           "/memory/tiers/0/kv_mean_bytes",
                           "/residency/sram_fraction_configured",
                           "/residency/active_bytes_sram_fraction",
                           "/residency/kv_hit",
                           "/residency/prefix_hit_fraction",
                           "/residency/evicted_bytes",
                           "/cost/capex_usd",
                           "/cost/usd_per_m_tokens",
                           "/cost/agent_density",
                           "/confidence/datasheet",
                           "/simulator/wall_s",
                           "/simulator/steps_per_wall_s",
                           "/simulator/tokens_per_wall_s",
                           "/simulator/events",
                           "/simulator/peak_rss_bytes"}) {
    CAPTURE(path);
    CHECK(report.contains(json::json_pointer{path}));
  }
}

TEST_CASE("json: a trace prints nothing besides its document either") {
  const Outcome outcome = run_reticle(kChat + sets({"workload.limit=5"}) + Arguments{"--json"});
  REQUIRE(outcome.code == 0);
  const json report = only_document(outcome.out);
  CHECK(report["requests"]["total"] == 5);
  CHECK(report["requests"]["finished"] == 5);
}

TEST_CASE("json: what does not fit is a document too and ends with 4") {
  const Outcome outcome =
      run_reticle(steady("ref-asic-paper", "claude-class-mid") + Arguments{"--json"});
  CHECK(outcome.code == 4);
  const json report = only_document(outcome.out);
  CHECK(report["feasible"]["fits"] == false);
  CHECK(report["throughput"].is_null());
  const std::string why = report["feasible"]["limits"][0]["text"];
  CHECK(contains(why, "GB of weights do not fit in sram"));
  CHECK(contains(why, "smallest deployment"));
}

TEST_CASE("json: bad input prints no document") {
  const Outcome outcome =
      run_reticle(steady("h100-8", "llama-3-70b", {"workload.batch=0"}) + Arguments{"--json"});
  CHECK(outcome.code == 3);
  CHECK(outcome.out.empty());
}

TEST_CASE("json: list prints an array and describe an object") {
  for (const char* kind : {"platforms", "llms", "workloads", "prices", "servings"}) {
    const Outcome outcome = run_reticle({"list", kind, "--json"});
    CHECK(outcome.code == 0);
    CHECK(only_document(outcome.out).is_array());
  }
  const json platform =
      only_document(run_reticle({"describe", "platform", "h100-8", "--json"}).out);
  CHECK(platform["platform"]["deployment"]["dies"] == 8);
  const json llm = only_document(run_reticle({"describe", "llm", "llama-3-70b", "--json"}).out);
  CHECK(llm["parameters"]["total"] == 70'553'706'496);
}

TEST_CASE("json: with --out the file and stdout hold the same document") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=1"}) +
                                      Arguments{"--json", "--out", scratch / "a"});
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out == read_file(scratch / "a/report.json"));
}
