// SPDX-License-Identifier: Apache-2.0
#include "sim/config/resolved.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "sim/config/confidence.hpp"
#include "sim/config/read_run.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using test::message_of;
using test::TempFile;

const BuildInfo kBuild{"1.2.3", "abc \"quoted\" \\ dirty"};

std::string written(const RunSpec& run) {
  std::ostringstream out;
  write_resolved(out, run, kBuild);
  return out.str();
}
RunSpec rerun(const std::string& text, const std::vector<std::string>& sets = {}) {
  const TempFile file{text};
  RunRequest request;
  request.resolved = file.path();
  request.sets = sets;
  return read_run(request);
}
RunRequest request(const std::string& platform, const std::string& workload) {
  RunRequest r;
  r.platform = platform;
  r.llm = "claude-class-low";
  r.workload = workload;
  return r;
}
}  // namespace

TEST_CASE("write_resolved: the file alone gives the same run and the same file") {
  for (const auto* platform : {"ref-asic", "ref-asic-paper", "h100-8"}) {
    for (const auto* workload : {"steady-64", "sample-agent"}) {
      RunRequest asked = request(platform, workload);
      asked.seed = 42;
      asked.sets = {"placement.sram_fraction=0.3", "platform.nodes=2"};
      const RunSpec first = read_run(asked);
      const std::string text = written(first);
      const RunSpec second = rerun(text);
      CHECK(written(second) == text);
      CHECK(second.seed == 42);
      CHECK(second.workload_name == workload);
      CHECK(second.placement.sram_fraction == 0.3);
      CHECK(dies(second.platform) == dies(first.platform));
      CHECK(second.platform.claims == first.platform.claims);
    }
  }
}

TEST_CASE("write_resolved: origins, sources and confidences survive the rerun") {
  const RunSpec first = read_run(request("ref-asic", "steady-64"));
  const RunSpec second = rerun(written(first));
  REQUIRE(second.resolved.size() == first.resolved.size());
  for (std::size_t i = 0; i < first.resolved.size(); ++i) {
    CHECK(second.resolved[i].path == first.resolved[i].path);
    CHECK(second.resolved[i].value == first.resolved[i].value);
    CHECK(second.resolved[i].origin == first.resolved[i].origin);
    CHECK(second.resolved[i].source == first.resolved[i].source);
    CHECK(second.resolved[i].confidence == first.resolved[i].confidence);
  }
}

TEST_CASE("write_resolved: does not look at the catalogue again") {
  std::string text = written(read_run(request("ref-asic", "steady-64")));
  const std::string stated = "standard: {value: \"hbm4\"";
  const auto at = text.find(stated);
  REQUIRE(at != std::string::npos);
  text.replace(at, stated.size(), "standard: {value: \"gone\"");
  CHECK(rerun(text).platform.die.hbm->standard == "gone");
}

TEST_CASE("write_resolved: texts with quotes and breaks come back as they were") {
  const std::string odd = "a \"b\" \\ c\n\td: {e} # f";
  RunRequest asked = request("h100-8", "steady-64");
  asked.sets = {"platform.title=" + odd};
  const RunSpec first = read_run(asked);
  CHECK(first.platform.title == odd);
  CHECK(rerun(written(first)).platform.title == odd);
}

TEST_CASE("read_run: a resolved file can still be overridden") {
  const std::string text = written(read_run(request("ref-asic", "steady-64")));
  const RunSpec run = rerun(text, {"workload.batch=2"});
  CHECK(std::get<SteadyDecode>(run.workload).batch == 2);
}

TEST_CASE("read_run: the HBM standard of a resolved file is settled") {
  const std::string text = written(read_run(request("ref-asic", "steady-64")));
  CHECK(message_of([&] { (void)rerun(text, {"platform.die.hbm.standard=hbm3"}); }) ==
        "--set platform.die.hbm.standard=hbm3: platform.die.hbm.standard: cannot be changed in a "
        "resolved run, whose timings are filled in already");
}

TEST_CASE("read_run: so are the device and the link of the far tier, whose numbers may change") {
  const std::string text = written(read_run(request("ref-asic", "steady-64")));
  for (const std::string key :
       {"platform.die.far.device.standard", "platform.die.far.link.standard"})
    CHECK(message_of([&] { (void)rerun(text, {key + "=ddr5"}); }) ==
          "--set " + key + "=ddr5: " + key +
              ": cannot be changed in a resolved run, whose timings are filled in already");
  const RunSpec run = rerun(text, {"platform.die.far.device.channels=2"});
  CHECK(run.platform.die.far->device.channels == 2);
  CHECK(run.platform.die.far->device.page == Bytes{2048});
}

TEST_CASE("read_run: a resolved file is given alone, and is one") {
  RunRequest both = request("ref-asic", "steady-64");
  both.resolved = "x.yaml";
  CHECK(message_of([&] { (void)read_run(both); }) ==
        "command line: resolved: names platform, llm and workload itself: give it alone");
  const TempFile other{"platform: {}\n"};
  RunRequest wrong;
  wrong.resolved = other.path();
  CHECK(message_of([&] { (void)read_run(wrong); }) ==
        other.path() + ":1:1: reticle_resolved: expected a resolved configuration of schema 1");
}

TEST_CASE("count_confidence: counts the platform's constants by word") {
  const std::vector<ResolvedValue> values{
      {"platform.a", "1", "f", "s", "datasheet"},
      {"platform.b", "1", "f", "s", "datasheet"},
      {"platform.c", "1", "default", "", ""},
      {"llm.d", "1", "f", "s", "claim"},
  };
  const auto counts = count_confidence(values);
  CHECK(counts.size() == kConfidenceWords.size());
  CHECK(counts.at("datasheet") == 2);
  CHECK(counts.at("claim") == 0);
}
}  // namespace reticle
