// SPDX-License-Identifier: Apache-2.0
// Everything in the catalogue can be listed, described and checked.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {

std::vector<std::string> listed(const std::string& kind) {
  return json::parse(run_reticle({"list", kind, "--json"}).out);
}

}  // namespace

TEST_CASE("catalogue: the names listed are the files there") {
  for (const std::string kind : {"platforms", "llms", "workloads", "prices"}) {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator{RETICLE_SOURCE_DIR "/configs/" + kind})
      files.push_back(entry.path().stem().string());
    std::sort(files.begin(), files.end());
    CHECK(!files.empty());
    CHECK(listed(kind) == files);
    std::string lines;
    for (const auto& name : files) lines += name + "\n";
    CHECK(run_reticle({"list", kind}).out == lines);
  }
}

TEST_CASE("catalogue: every platform and model and workload describes itself in text and in JSON") {
  for (const auto& [word, kind] : {std::pair<std::string, std::string>{"platform", "platforms"},
                                   {"llm", "llms"},
                                   {"workload", "workloads"}})
    for (const auto& name : listed(kind)) {
      CAPTURE(name);
      const Outcome text = run_reticle({"describe", word, name});
      CAPTURE(text.err);
      CHECK(text.code == 0);
      CHECK(!text.out.empty());
      const Outcome document = run_reticle({"describe", word, name, "--json"});
      CHECK(document.code == 0);
      CHECK(json::parse(document.out).is_object());
    }
}

TEST_CASE("catalogue: every file is a valid one of its kind") {
  for (const auto& [folder, kind] : {std::pair<std::string, std::string>{"platforms", "platform"},
                                     {"llms", "llm"},
                                     {"workloads", "workload"},
                                     {"prices", "prices"},
                                     {"hbm", "hbm"}})
    for (const auto& entry :
         std::filesystem::directory_iterator{RETICLE_SOURCE_DIR "/configs/" + folder}) {
      const std::string file = entry.path().string();
      const Outcome outcome = run_reticle({"check", file});
      CAPTURE(outcome.err);
      CHECK(outcome.code == 0);
      CHECK(outcome.out == file + ": a valid " + kind + "\n");
    }
}

TEST_CASE("catalogue: a resolved file is checked as well") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=1"}) +
                      Arguments{"--out", scratch / "a"})
              .code == 0);
  const Outcome outcome = run_reticle({"check", scratch / "a/resolved.yaml"});
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "a valid resolved"));
}

TEST_CASE("catalogue: what the paper states of a platform stands beside what its memories allow") {
  const auto said = [](const std::string& platform) {
    return run_reticle({"describe", "platform", platform}).out;
  };
  CHECK(contains(said("groq-lpu"),
                 "has 576 packages serve llama-3-70b in bf16: its weights are 141.1 GB"));
  CHECK(contains(said("cerebras-wse3"), "has 1 package serve llama-3-70b in bf16"));
  CHECK(contains(said("sohu"), "states 500,000 tokens/s for one stream: 8 packages of HBM read"));
  CHECK(contains(said("b200-8"), "states 180.0 tokens/s for one stream: 1 package of HBM"));
  CHECK_FALSE(contains(said("h200-8"), "paper's Table 1"));
}

TEST_CASE("catalogue: heat of a die is bounded by its package's power, not by hosts and fans") {
  const Outcome h100 = run_reticle({"describe", "platform", "h100-8"});
  CHECK(contains(h100.out, "within the power limit of the package; the cooling carries 0.860"));
  CHECK_FALSE(contains(h100.out, "LESS than that"));
  const json facts = json::parse(run_reticle({"describe", "platform", "h100-8", "--json"}).out);
  // 700 W less refresh (0.42 W) and background (0.38 W) of each of five HBM3 stacks, over 814 mm2.
  CHECK(facts["silicon"]["heat_flux_w_per_mm2"].get<double>() ==
        doctest::Approx((700 - 5 * 0.80) / 814).epsilon(1e-4));
  const Outcome less = run_reticle(
      {"describe", "platform", "h100-8", "--set", "platform.cooling.package_power_limit_w=800"});
  CHECK(contains(less.out, "LESS than that"));
  const Outcome node = run_reticle({"describe", "platform", "h200-8"});
  CHECK(contains(node.out, "within the power limit of the node"));
  CHECK_FALSE(contains(node.out, "LESS than that"));
}

TEST_CASE("catalogue: a format without units of its own is no peak") {
  const Outcome h100 = run_reticle({"describe", "platform", "h100-8"});
  CHECK(contains(h100.out, "not native: computed as fp8, "));
  const json facts = json::parse(run_reticle({"describe", "platform", "h100-8", "--json"}).out);
  for (const char* format : {"mxfp4", "nvfp4"}) {
    const json& fact = facts["compute"][std::string{format} + "_flops"];
    CHECK(fact["computed_as"] == "fp8");
    CHECK(fact["per_die"] == facts["compute"]["fp8_flops"]["per_die"]);
    CHECK_FALSE(fact.contains("ridge_flop_per_byte"));
  }
  CHECK_FALSE(facts["compute"]["fp8_flops"].contains("computed_as"));
  const Outcome b200 = run_reticle({"describe", "platform", "b200-8"});
  CHECK_FALSE(contains(b200.out, "not native"));
}

TEST_CASE("catalogue: an override changes what is described") {
  const auto stacks = [](const Arguments& more) {
    const Outcome outcome =
        run_reticle(Arguments{"describe", "platform", "h100-8", "--json"} + more);
    return json::parse(outcome.out)["memory"]["hbm_bytes"]["per_die"].get<double>();
  };
  CHECK(stacks({"--set", "platform.die.hbm.stacks=10"}) == 2 * stacks({}));
}
