// SPDX-License-Identifier: Apache-2.0
// reticle compare: end to end on two small platforms, at roofline fidelity so that it takes
// seconds.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {
Arguments compare(const std::string& out, const std::vector<std::string>& assignments = {}) {
  Arguments all{"compare",    "--platforms", "h100-8,ref-asic", "--llm", "llama-3-8b",
                "--workload", "sample-chat", "--jobs",          "2"};
  if (!out.empty()) all = all + Arguments{"--out", out};
  return all + sets({"engine.fidelity=roofline", "workload.limit=4"}) + sets(assignments);
}

std::vector<fs::path> files_of(const std::string& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{directory}) files.push_back(entry.path());
  return files;
}
}  // namespace

TEST_CASE("compare: every cell is what a run of it alone gives, one utilisation for all") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle(compare(scratch / "c"));
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const json all = json::parse(read_file(scratch / "c/compare.json"));
  REQUIRE(all["platforms"].size() == 2);
  const json alone = json::parse(
      run_reticle(steady("h100-8", "llama-3-8b",
                         {"platform.cost.utilisation=0.8", "engine.fidelity=roofline",
                          "workload.batch=64", "workload.context=1024", "workload.steps=2"}) +
                  Arguments{"--json"})
          .out);
  const json& figures = all["platforms"][0]["figures"];
  CHECK(figures["decode_batch64"]["deployment"] == alone["throughput"]["output_tokens_per_s"]);
  CHECK(figures["decode_batch64"]["per_chip"] == alone["throughput"]["per_chip"]);
  CHECK(figures["energy_batch64"]["deployment"] == alone["energy"]["per_token_j"]);
  CHECK(figures["cost_batch64"]["deployment"] == alone["cost"]["planned"]["usd_per_m_tokens"]);
  CHECK(all["inputs"]["utilisation"] == 0.8);
  CHECK(all["platforms"][0]["cells"]["batch64"]["simulated"] == false);
  CHECK(all["table1"].size() == 6);  // of the two, the paper's first table has the H100
  CHECK(all["table1"][0]["figure"] == "packages");
  CHECK(all["table1"][0]["ours"] == 2);
  CHECK(all["table1"][0]["note"] == "bf16; of 2 packages, stated of 1; a bound, not simulated");
  CHECK(all["table2"].empty());
  for (const auto* file : {"projections_table.csv", "table1.csv", "table2.csv", "compare.md"})
    CHECK(!read_file(scratch / ("c/" + std::string{file})).empty());
}

TEST_CASE("compare: goes on where it was killed, and takes no report of other inputs") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(compare(scratch / "a")).code == 0);
  const std::string whole = read_file(scratch / "a/compare.json");
  {
    Process killed{compare(scratch / "b")};
    while (!fs::exists(scratch / "b/cells") || files_of(scratch / "b/cells").empty()) ::usleep(500);
    (void)killed.interrupt(SIGKILL);
  }
  const auto left = files_of(scratch / "b/cells");
  REQUIRE(!left.empty());
  // A report that is taken keeps its file; one of other inputs is replaced.
  const fs::path taken = scratch / "a/cells/h100-8.batch1.json";
  const auto written = fs::last_write_time(taken);
  const fs::path broken = scratch / "a/cells/ref-asic.trace.json";
  write_file(broken, read_file(broken).substr(0, 1000));
  REQUIRE(run_reticle(compare(scratch / "a")).code == 0);
  CHECK(fs::last_write_time(taken) == written);
  CHECK(read_file(scratch / "a/compare.json") == whole);
  REQUIRE(run_reticle(compare(scratch / "b")).code == 0);
  CHECK(read_file(scratch / "b/compare.json") == whole);
  REQUIRE(run_reticle(compare(scratch / "a", {"platform.cost.pue=1.5"})).code == 0);
  CHECK(fs::last_write_time(taken) != written);
  CHECK(read_file(scratch / "a/compare.json") != whole);
}

TEST_CASE("compare: --uncertainty gives every priced figure a range about its nominal value") {
  const Outcome outcome = run_reticle(compare("") + Arguments{"--uncertainty", "200", "--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const json all = json::parse(outcome.out);
  const json& platforms = all["platforms"];
  std::size_t costs = 0;
  for (const json& f : all["uncertainty"]["figures"]) {
    CHECK(f["p5"] <= f["p50"]);
    CHECK(f["p50"] <= f["p95"]);
    if (f["figure"] != "cost_batch64") continue;
    ++costs;
    const json& row = platforms[f["platform"] == "h100-8" ? 0 : 1];
    CHECK(f["nominal"] == row["figures"]["cost_batch64"]["deployment"]);
    CHECK(f["p5"] < f["nominal"]);
    CHECK(f["p95"] > f["nominal"]);
    CHECK(f["tornado"].size() > 2);  // price, lifetime, electricity at least
  }
  CHECK(costs == 2);
}

TEST_CASE("compare: wrong words, platforms and claims are refused") {
  CHECK(run_reticle({"compare", "--llm", "llama-3-8b"}).code == 2);
  const Outcome twice = run_reticle({"compare", "--platforms", "h100-8,h100-8", "--llm",
                                     "llama-3-8b", "--workload", "sample-chat"});
  CHECK(twice.code == 3);
  CHECK(contains(twice.err, "'h100-8' is named twice"));
  CHECK(run_reticle({"compare", "--platforms", "h100-9", "--llm", "llama-3-8b", "--workload",
                     "sample-chat"})
            .code == 3);
  const ScratchDirectory scratch;
  write_file(scratch / "c.yaml", "title: t\nworked_examples: []\n");
  const Outcome claims = run_reticle(compare("") + Arguments{"--claims", scratch / "c.yaml"});
  CHECK(claims.code == 3);
  CHECK(contains(claims.err, "c.yaml:1:1: platforms: required list is missing"));
  const Outcome unknown = run_reticle(
      {"compare", "--llm", "llama-3-9b", "--workload", "sample-chat", "--out", scratch / "never"});
  CHECK(unknown.code == 3);
  CHECK(!fs::exists(scratch / "never"));
  // A markup is of platforms without a price.
  const Outcome markup = run_reticle(compare("", {"platform.cost.markup=3"}));
  CHECK(markup.code == 3);
  CHECK(contains(markup.err, "platform.cost.markup: has no effect where node_price_usd states"));
}

TEST_CASE("compare: --frontier adds points of rising batch, the steady cells among them") {
  const Outcome outcome =
      run_reticle(compare("", {"serving.max_batch=64"}) + Arguments{"--frontier", "--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const json all = json::parse(outcome.out);
  const json& points = all["platforms"][0]["frontier"];
  REQUIRE(points.size() == 7);  // 1, 2, ... 64
  for (std::size_t i = 0; i < points.size(); ++i) CHECK(points[i]["batch"] == 1 << i);
  const json& figures = all["platforms"][0]["figures"];
  CHECK(points[6]["tokens_per_s_chip"] == figures["decode_batch64"]["per_chip"]);
}
