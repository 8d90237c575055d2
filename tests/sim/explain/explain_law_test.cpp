// SPDX-License-Identifier: Apache-2.0
// What binds by the breakdown is what twice of it gains most, on bottlenecks set up on purpose; and
// the answers are those of runs with the same values set by hand.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

struct Explained {
  ScratchDirectory scratch;
  std::string directory;
  json answer;
};

void explain_into(Explained& e, const Arguments& run) {
  e.directory = e.scratch / "run";
  const Outcome outcome = run_reticle(run + Arguments{"--out", e.directory});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const Outcome explained = run_reticle({"explain", e.directory, "--json"});
  CAPTURE(explained.err);
  REQUIRE(explained.code == 0);
  e.answer = json::parse(explained.out);
}

const json& row(const json& answer, const std::string& resource) {
  for (const json& r : answer["what_if"])
    if (r["resource"] == resource) return r;
  FAIL("no such resource: " << resource);
  throw;
}

/// `resource` binds by the breakdown and gains most, about as much as its share says, and `key` is
/// what is changed for it first.
void check_binds(const Arguments& run, const std::string& resource, const std::string& key) {
  CAPTURE(resource);
  Explained e;
  explain_into(e, run);
  CAPTURE(e.answer.dump(1));
  CHECK(e.answer["binds"][0] == resource);
  CHECK(e.answer["gains_most"] == resource);
  CHECK(row(e.answer, resource)["gain"].get<double>() > 0.05);
  // Of what it gains, the share says how much within a fifth, unless plan or collectives change.
  const json& first = row(e.answer, resource);
  if (!first["expected"].is_null() && first["plan"] == e.answer["base"]["plan"])
    CHECK(first["gain"].get<double>() ==
          doctest::Approx(first["expected"].get<double>()).epsilon(0.2));
  CHECK(first["set"][0].get<std::string>().starts_with(key + "="));
  // By hand.
  Arguments by_hand{"run", "--resolved", e.directory + "/resolved.yaml"};
  for (const json& set : first["set"])
    by_hand = by_hand + Arguments{"--set", set.get<std::string>()};
  const json again = report(by_hand);
  CHECK(again["throughput"]["output_tokens_per_s"] == first["output_tokens_per_s"]);
  if (!first["e2e_ms"].is_null()) CHECK(again["latency"]["e2e_ms"]["mean"] == first["e2e_ms"]);
}

Arguments one(const std::string& platform, const std::string& llm, const Sets& more) {
  return steady(platform, llm, more);
}

}  // namespace

TEST_CASE("explain: HBM bandwidth binds a small batch on one GPU") {
  check_binds(one("h100-8", "llama-3-70b", kOneDie + Sets{"workload.batch=1", "workload.steps=2"}),
              "hbm_bandwidth", "platform.die.hbm.pseudo_channels");
}

TEST_CASE("explain: arrays bind a batch that reads its weights once for many") {
  check_binds(
      one("h100-8", "llama-3-8b",
          Sets{"platform.packages_per_node=1", "platform.die.kernels=none",
               "platform.fabric.scale_out.ports=1", "platform.die.sequencer.launch_gap=0 us",
               "platform.die.sequencer.step_overhead=0 us", "workload.batch=1024",
               "serving.max_batch=1024", "workload.context=16", "workload.steps=2"}),
      "mac", "platform.die.mac.arrays");
}

TEST_CASE("explain: links bind where they are slow") {
  check_binds(one("ref-asic", "llama-3-70b",
                  Sets{"placement.tensor_parallel=48", "platform.fabric.node.rate=2 GB/s",
                       "platform.fabric.package.rate=4 GB/s", "workload.batch=64",
                       "workload.context=1024", "workload.steps=2"}),
              "links", "platform.fabric.package.rate");
}

TEST_CASE("explain: latency binds a single stream on many dies") {
  check_binds(
      one("ref-asic", "llama-3-70b",
          Sets{"placement.tensor_parallel=48", "workload.batch=1",
               "platform.fabric.node.latency=2 us", "workload.context=1024", "workload.steps=2"}),
      "latency", "platform.fabric.package.latency");
}

TEST_CASE("explain: launches and host bind a small model on GPUs") {
  check_binds(one("h100-8", "llama-3.2-1b",
                  Sets{"platform.packages_per_node=1", "platform.fabric.scale_out.ports=1",
                       "serving.layer_overhead=50 us", "workload.batch=1", "workload.context=64",
                       "workload.steps=2"}),
              "launch", "platform.die.sequencer.step_overhead");
}

TEST_CASE("explain: capacity binds where requests wait for room in the cache") {
  // 1.4 GB of cache beside the weights: some ten requests at a time, of 200 that come at once.
  check_binds(
      Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", "sample-chat"} +
          sets({"platform.packages_per_node=1", "platform.fabric.scale_out.ports=1",
                "platform.die.hbm.capacity_per_stack=3500 MB", "workload.limit=200",
                "workload.rate_scale=1000"}),
      "hbm_capacity", "platform.die.hbm.capacity_per_stack");
}

TEST_CASE("explain: who arrives into a cache with room does not wait for room") {
  const json r = report(
      Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", "sample-chat"} +
      sets({"workload.limit=100", "workload.rate_scale=20"}));
  CHECK(r["memory"]["tiers"][1]["kv_peak_bytes"].get<double>() <
        0.5 * r["memory"]["tiers"][1]["capacity_bytes"].get<double>());
  CHECK(r["residency"]["short_of_room_share"] == 0.0);
}

TEST_CASE("explain: of a trace with idle time the halved share is of the time within steps") {
  Explained e;
  explain_into(e, Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                            "sample-chat"} +
                      sets({"workload.limit=12", "workload.rate_scale=0.05"}));
  REQUIRE(e.answer["base"]["idle_share"].get<double>() > 0.3);
  const json& hbm = row(e.answer, "hbm_bandwidth");
  const double gain = hbm["gain"];
  CHECK(gain > 0.1);
  CHECK(hbm["expected"].get<double>() == doctest::Approx(gain).epsilon(0.3));
}

TEST_CASE("explain: answers are kept, and a directory without a run is refused") {
  Explained e;
  explain_into(e, one("h100-8", "llama-3.2-1b", Sets{"workload.batch=1", "workload.steps=2"}));
  CHECK(std::filesystem::exists(e.directory + "/explain.json"));
  CHECK(std::filesystem::exists(e.directory + "/what-if/base.json"));
  CHECK(std::filesystem::exists(e.directory + "/what-if/mac.json"));
  const Outcome words = run_reticle({"explain", e.directory});
  CHECK(words.code == 0);
  CHECK(words.out.find("What binds") != std::string::npos);
  CHECK(words.out.find("What if") != std::string::npos);
  ScratchDirectory empty;
  CHECK(run_reticle({"explain", empty.path().string()}).code == 3);
}
