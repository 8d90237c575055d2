// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using Json = nlohmann::json;

namespace {
const std::string kBroken = RETICLE_SOURCE_DIR "/tests/sim/registry/broken_sets/";

/// An experiment that takes a second: two batches of a small model.
const char* const kExperiment = R"(id: B4
hypothesis: "half the bits, twice the speed"
falsifier: "less"
refuted_if: [{test: halving, points: every, below: 0.5}]
platform: h100-8
llm: llama-3-8b
workload: steady-decode
set: [workload.steps=1]
tests:
  - id: halving
    title: "FP8 to BF16, the wrong way"
    form: ratio
    claim: throughput_per_halving
    claimed: {low: 2, high: 2}
    metric: {figure: throughput.output_tokens_per_s, title: "tokens/s", unit: "tokens/s", better: higher}
    baseline: {name: bf16}
    treatments: [{name: fp8, set: [llm.weights=fp8, llm.activations=fp8]}]
    conditions: [{name: batch, key: workload.batch, values: [1, 64]}]
)";

}  // namespace

TEST_CASE("registry lint: the shipped entries are sound, broken ones end with 3 and say where") {
  CHECK(run_reticle({"registry", "lint", "--as-of", "2026-04-22"}).code == 0);
  const Outcome broken =
      run_reticle({"registry", "lint", kBroken + "dangling", "--as-of", "2026-08-01"});
  CHECK(broken.code == 3);
  CHECK(broken.err.find("b07-a.md:11:13: depends_on: B7 depends on B99") != std::string::npos);
  CHECK(run_reticle({"registry", "lint", "--as-of", "yesterday"}).code == 2);
  CHECK(run_reticle({"registry", "lint", "/nowhere"}).code == 3);
}

TEST_CASE("registry lint: stale entries are warnings, and errors where that is asked for") {
  const Arguments stale{"registry", "lint", kBroken + "stale", "--as-of", "2026-08-01"};
  CHECK(run_reticle(stale).code == 0);
  CHECK(run_reticle(stale + Arguments{"--strict"}).code == 3);
  const Json json = Json::parse(run_reticle(stale + Arguments{"--json"}).out);
  CHECK(json["warnings"] == 1);
  CHECK(json["findings"][0]["rule"] == "stale");
}

TEST_CASE("registry graph: JSON and Graphviz exclude each other") {
  CHECK(Json::parse(run_reticle({"registry", "graph", "--json"}).out)["circles"].size() == 2);
  CHECK(run_reticle({"registry", "graph", "--dot"}).out.find("digraph registry") !=
        std::string::npos);
  CHECK(run_reticle({"registry", "graph", "--dot", "--json"}).code == 2);
}

TEST_CASE("registry validate: every experiment is sound, and asks for each of its runs once") {
  const Outcome cells = run_reticle({"registry", "validate", "--all", "--cells"});
  CHECK(cells.code == 0);
  std::istringstream lines{cells.out};
  std::vector<std::string> names, commands;
  for (std::string line; std::getline(lines, line);)
    (line.starts_with("  ") ? commands : names).push_back(line);
  CHECK(names.size() == commands.size());
  CHECK(names.size() > 500);
  for (auto* all : {&names, &commands}) {
    std::ranges::sort(*all);
    CHECK(std::ranges::adjacent_find(*all) == all->end());
  }
}

TEST_CASE(
    "registry validate: a second run goes on from the first, and the command repeats a cell") {
  const ScratchDirectory scratch;
  write_file(scratch / "b04.yaml", kExperiment);
  const Arguments command{
      "registry", "validate",     "B4", "--experiments", scratch.path().string(),
      "--out",    scratch / "out"};
  REQUIRE(run_reticle(command).code == 0);
  const Json report = Json::parse(read_file(scratch / "out/validation.json"));
  const Json& entry = report["entries"][0];
  CHECK(report["cells"].size() == 4);
  CHECK(entry["tests"][0]["points"].size() == 2);
  for (const auto* file : {"validation.md", "validation.html"})
    CHECK(std::filesystem::exists(scratch.path() / "out" / file));

  // A cell that is there is believed: a changed figure changes the verdict.
  const std::string cell = scratch / "out/cells/B4.halving.bf16.1.json";
  Json stored = Json::parse(read_file(cell));
  const double rate = stored["throughput"]["output_tokens_per_s"];
  stored["throughput"]["output_tokens_per_s"] = rate / 1000;
  write_file(cell, stored.dump());
  REQUIRE(run_reticle(command).code == 0);
  const Json again = Json::parse(read_file(scratch / "out/validation.json"));
  CHECK(again["entries"][0]["tests"][0]["high"].get<double>() > 500);
  CHECK(entry["verdict"] == "overclaimed");
  CHECK(again["entries"][0]["verdict"] == "conditional");

  // The printed command gives the figure again.
  std::string text = report["cells"][0]["command"];
  Arguments words;
  std::istringstream in{text.substr(std::string{"reticle "}.size())};
  for (std::string word; in >> word;) words.push_back(word);
  const Json repeated = Json::parse(run_reticle(words + Arguments{"--json"}).out);
  CHECK(repeated["throughput"]["output_tokens_per_s"].get<double>() == rate);
}

TEST_CASE(
    "registry validate: a mistyped figure ends with 3 and says where, as an unknown key does") {
  const ScratchDirectory scratch;
  std::string text = kExperiment;
  text.replace(text.find("output_tokens_per_s"), 6, "outptu");
  write_file(scratch / "b04.yaml", text);
  const Outcome outcome =
      run_reticle({"registry", "validate", "B4", "--experiments", scratch.path().string()});
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("b04.yaml:15:22: figure: the report of a run has no "
                         "throughput.outptu_tokens_per_s (did you mean "
                         "throughput.output_tokens_per_s?)") != std::string::npos);
}

TEST_CASE("registry validate: what one run would refuse is said before any run, with its command") {
  const ScratchDirectory scratch;
  std::string text = kExperiment;
  const std::string steps = "workload.steps=1";
  text.insert(text.find(steps) + steps.size(), ", platform.cost.markup=2");
  write_file(scratch / "b04.yaml", text);
  const Arguments command{"registry", "validate", "B4", "--experiments", scratch.path().string()};
  for (const Arguments& also : {Arguments{}, Arguments{"--cells"}}) {
    const Outcome outcome = run_reticle(command + also);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(" of 4:") == std::string::npos);
    CHECK(outcome.err.find("B4.halving.bf16.1: ") != std::string::npos);
    CHECK(outcome.err.find("has no effect where node_price_usd states the price") !=
          std::string::npos);
    CHECK(outcome.err.find("reticle run --platform h100-8") != std::string::npos);
  }
}

TEST_CASE("registry validate: one process at a time writes to a directory") {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path() / "out");
  const int held = ::open((scratch / "out").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(held, LOCK_EX | LOCK_NB) == 0);
  const Arguments command{"registry", "validate", "B9", "--out", scratch / "out"};
  const Outcome refused = run_reticle(command);
  CHECK(refused.code == 3);
  CHECK(refused.err.find("another registry validate writes here") != std::string::npos);
  ::close(held);
  CHECK(run_reticle(command).code == 0);
}

TEST_CASE("registry site: results that are not there are said to be missing") {
  const ScratchDirectory scratch;
  const Outcome outcome =
      run_reticle({"registry", "site", "--out", scratch / "site", "--results", scratch / "nosuch"});
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("nosuch: expected what `reticle registry validate --out` leaves") !=
        std::string::npos);
}

TEST_CASE("registry site: what the importer read stays with the results") {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path() / "configs");
  write_file(scratch / "configs/tiny.json", R"({"model_type": "nonsense"})");
  REQUIRE(run_reticle({"registry", "validate", "B15", "--model-configs", scratch / "configs",
                       "--out", scratch / "out"})
              .code == 0);
  REQUIRE(run_reticle({"registry", "site", "--out", scratch / "site", "--results", scratch / "out"})
              .code == 0);
  const std::string page = read_file(scratch / "site/entries/b15.html");
  CHECK(page.find("Of 1 configurations it reads 0") != std::string::npos);
  CHECK(page.find("reticle registry validate B15 --json --model-configs") != std::string::npos);
}

TEST_CASE("registry validate: it takes ids or --all, and known ids") {
  CHECK(run_reticle({"registry", "validate"}).code == 2);
  CHECK(run_reticle({"registry", "validate", "B99"}).code == 3);
  CHECK(run_reticle({"registry", "validate", "B9", "--all"}).code == 2);
}

TEST_CASE("registry validate: configurations that are not there end with 3, before any run") {
  const Outcome outcome =
      run_reticle({"registry", "validate", "B15", "--model-configs", "/nowhere"});
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("/nowhere: expected a directory of config.json files") !=
        std::string::npos);
}

TEST_CASE(
    "registry site: it says of which program the results are, and which runs are of another") {
  const ScratchDirectory scratch;
  write_file(scratch / "b04.yaml", kExperiment);
  const Arguments from{"--experiments", scratch.path().string()};
  REQUIRE(
      run_reticle(Arguments{"registry", "validate", "B4", "--out", scratch / "out"} + from).code ==
      0);
  const Arguments site =
      Arguments{"registry", "site", "--out", scratch / "site", "--results", scratch / "out"} + from;
  const Json results = Json::parse(read_file(scratch / "out/validation.json"));
  const auto revision = results["git_revision"].get<std::string>();
  Outcome written = run_reticle(site);
  REQUIRE(written.code == 0);
  CHECK(written.out.find("1 of 18 entries with results of ") != std::string::npos);
  CHECK(written.out.find("(" + revision + ")") != std::string::npos);
  CHECK(written.err.find("are not of") == std::string::npos);
  CHECK(read_file(scratch / "site/entries/b04.html").find("(" + revision + ")") !=
        std::string::npos);
  // The seventeen entries that no experiment tests are no reason to stop.
  CHECK(written.err.find("b01.yaml: no such file: B1 is not tested") != std::string::npos);

  const std::string cell = scratch / "out/cells/B4.halving.bf16.1.json";
  Json stored = Json::parse(read_file(cell));
  stored["git_revision"] = "0";
  write_file(cell, stored.dump());
  written = run_reticle(site);
  CHECK(written.code == 0);
  CHECK(written.err.find("warning: 1 of 4 runs are not of") != std::string::npos);
  CHECK(written.err.find("B4.halving.bf16.1 is of") != std::string::npos);
}

TEST_CASE(
    "registry validate: a search runs what it comes to, and says between what a figure lies") {
  const ScratchDirectory scratch;
  std::string text = kExperiment;
  const std::string grid =
      "    conditions: [{name: batch, key: workload.batch, values: [1, 64]}]\n";
  text.replace(text.find(grid), grid.size(),
               "    choose: {name: batch, key: workload.batch, from: 1, to: 64, step: 2}\n"
               "    within: [{figure: latency.tpot_ms.mean, at_most: 9.5}]\n");
  write_file(scratch / "b04.yaml", text);
  const Outcome outcome = run_reticle({"registry", "validate", "B4", "--experiments",
                                       scratch.path().string(), "--out", scratch / "out"});
  REQUIRE(outcome.code == 0);
  const Json report = Json::parse(read_file(scratch / "out/validation.json"));
  CHECK(report["cells"].size() <= 6);  // seven batches, two arms, three runs each
  CHECK(std::filesystem::exists(scratch.path() / "out/cells/B4.halving.bf16.8.json"));
}
