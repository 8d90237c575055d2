// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_run.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/config/catalogue.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using test::message_of;
using test::TempFile;

RunRequest request(std::vector<std::string> sets = {}, std::string workload = "steady-decode") {
  RunRequest r;
  r.platform = "ref-asic";
  r.llm = "llama-3-70b";
  r.workload = std::move(workload);
  r.sets = std::move(sets);
  return r;
}
std::string refusal(const RunRequest& r) {
  return message_of([&] { (void)read_run(r); });
}
const ResolvedValue& value_at(const RunSpec& run, std::string_view path) {
  const auto found = std::ranges::find(run.resolved, path, &ResolvedValue::path);
  REQUIRE(found != run.resolved.end());
  return *found;
}
}  // namespace

TEST_CASE("read_run: three names make a run") {
  const RunSpec run = read_run(request());
  CHECK(run.platform.name == "ref-asic");
  CHECK(run.llm.name == "llama-3-70b");
  CHECK(run.workload_name == "steady-decode");
  const auto& steady = std::get<SteadyDecode>(run.workload);
  CHECK(steady.batch == 1);
  CHECK(steady.context == 1024);
  CHECK(steady.steps == 16);
  CHECK(run.serving.max_batch == ServingSpec{}.max_batch);
  CHECK(run.seed == 0);
  CHECK(value_at(run, "serving.max_batch").origin == "default");
  CHECK(value_at(run, "platform.die.hbm.stacks")
            .origin.starts_with("configs/platforms/ref-asic.yaml:"));
  CHECK(value_at(run, "platform.die.hbm.timing.t_rp").origin.starts_with("configs/hbm/hbm4.yaml:"));
  CHECK(value_at(run, "platform.die.far.device.page_read")
            .origin.starts_with("configs/tiers/lpddr5x.yaml:"));
  CHECK(value_at(run, "platform.die.far.link.header")
            .origin.starts_with("configs/links/pcie6-x8.yaml:"));
}

TEST_CASE("read_run: every path is written down once") {
  const RunSpec run = read_run(request());
  std::vector<std::string> paths;
  for (const auto& value : run.resolved) paths.push_back(value.path);
  std::ranges::sort(paths);
  CHECK(std::ranges::adjacent_find(paths) == paths.end());
}

TEST_CASE("read_run: --set reaches every section, absent keys included") {
  const RunSpec run =
      read_run(request({"platform.die.hbm.stacks=4", "placement.sram_fraction=0.5",
                        "workload.batch=64", "serving.max_batch=8", "engine.recall=off",
                        "llm.kv=fp8", "seed=7", "placement.tensor_parallel=none"}));
  CHECK(run.platform.die.hbm->stacks == 4);
  CHECK(run.placement.sram_fraction == 0.5);
  CHECK(run.placement.tensor_parallel == std::nullopt);
  CHECK(std::get<SteadyDecode>(run.workload).batch == 64);
  CHECK(run.serving.max_batch == 8);
  CHECK(run.engine.recall == RecallMode::Off);
  CHECK(run.llm.kv == Precision::Fp8);
  CHECK(run.seed == 7);
  const ResolvedValue& stacks = value_at(run, "platform.die.hbm.stacks");
  CHECK(stacks.value == "4");
  CHECK(stacks.origin == "--set");
  CHECK(stacks.source.empty());
  CHECK(stacks.confidence.empty());
}

TEST_CASE("read_run: the last --set of a key wins") {
  const RunSpec run = read_run(request({"workload.batch=2", "workload.batch=3"}));
  CHECK(std::get<SteadyDecode>(run.workload).batch == 3);
}

TEST_CASE("read_run: --set obeys the checks of the files") {
  CHECK(refusal(request({"platform.die.hbm.stakcs=4"})) ==
        "--set platform.die.hbm.stakcs=4: platform.die.hbm.stakcs: unknown key (did you mean "
        "stacks?)");
  CHECK(refusal(request({" workload.batch = 2"})) ==
        "--set  workload.batch = 2: a key has no blanks: write --set 'workload.batch=2'");
  CHECK(refusal(request({"workload.batch= 2 "})) == "no error");
  CHECK(refusal(request({"platfrom.nodes=2"})) ==
        "--set platfrom.nodes=2: platfrom: unknown key (did you mean platform?)");
  CHECK(refusal(request({"placement.expert_prefetch=previous-layer"})) ==
        "--set placement.expert_prefetch=previous-layer: placement.expert_prefetch: needs "
        "placement.expert_cache lru or lfu, whose room it fills, got previous-layer");
  CHECK(refusal(request({"placement.sram_fraction=1.5"})) ==
        "--set placement.sram_fraction=1.5: placement.sram_fraction: must be between 0 and 1, got "
        "1.5");
  CHECK(refusal(request({"placement.kv_share=0"})) ==
        "--set placement.kv_share=0: placement.kv_share: must be above 0 and at most 1, got 0");
  CHECK(refusal(request({"engine.fidelity=cycles"})) ==
        "--set engine.fidelity=cycles: engine.fidelity: expected one of roofline, transaction, "
        "cycle, got 'cycles'");
  CHECK(refusal(request({"platform.die.sram.clock=15"})) ==
        "--set platform.die.sram.clock=15: platform.die.sram.clock: expected a frequency such as "
        "'1.2 GHz', got '15'");
}

TEST_CASE("read_run: malformed --set texts are refused") {
  CHECK(refusal(request({"nodes"})) == "--set nodes: expected key=value, such as platform.nodes=2");
  CHECK(refusal(request({"=1"})) == "--set =1: a part of the key is empty");
  CHECK(refusal(request({"platform..nodes=1"})) ==
        "--set platform..nodes=1: platform..nodes: a part of the key is empty");
  CHECK(refusal(request({"platform.nodes.x=1"})) ==
        "--set platform.nodes.x=1: platform.nodes: is a value, not a section with keys of its own");
  CHECK(refusal(request({"llm.name=\xff"})) == "--set: not a text: byte 0xff is not allowed");
}

TEST_CASE("read_run: rules of the language model point at the key they blame") {
  CHECK(refusal(request({"llm.attention.kv_heads=65"}))
            .starts_with("--set llm.attention.kv_heads=65: llm.attention.kv_heads: "));
}

TEST_CASE("read_run: unknown names list what there is") {
  RunRequest r = request();
  r.platform = "ref-asci";
  const std::string text = refusal(r);
  CHECK(text.starts_with("unknown platform 'ref-asci' (did you mean ref-asic?); known: "));
  for (const char* known : {"h100-8", "ref-asic", "ref-asic-paper"})
    CHECK(text.find(std::string{" "} + known) != std::string::npos);
  CHECK(refusal(request({}, "steady-63"))
            .starts_with("unknown workload 'steady-63' (did you mean steady-64?); known: "));
  r.platform = "/nowhere.yaml";
  CHECK(refusal(r) == "/nowhere.yaml: no such file");
}

TEST_CASE("read_run: seed and fidelity of the command line are recorded as such") {
  RunRequest r = request();
  r.seed = 18446744073709551615ULL;
  r.fidelity = "roofline";
  const RunSpec run = read_run(r);
  CHECK(run.seed == 18446744073709551615ULL);
  CHECK(run.engine.fidelity == Fidelity::Roofline);
  CHECK(value_at(run, "seed").origin == "command line");
  CHECK(value_at(run, "engine.fidelity").origin == "command line");
}

TEST_CASE("read_run: a trace named in the catalogue is found from anywhere") {
  const RunSpec run = read_run(request({"workload.rate_scale=2"}, "sample-chat"));
  const auto& trace = std::get<TraceWorkload>(run.workload);
  CHECK(std::filesystem::exists(trace.path));
  CHECK(trace.format == "reticle");
  CHECK(trace.rate_scale == 2.0);
  CHECK(trace.limit == std::nullopt);
  CHECK(value_at(run, "workload.path").value == "workloads/samples/chat-200.jsonl");
}

TEST_CASE("read_run: a trace file can be given directly, with its format") {
  const TempFile file{"{}\n", ".jsonl"};
  const RunSpec run =
      read_run(request({"workload.limit=10", "workload.rate_scale=0.5"}, file.path() + ":reticle"));
  const auto& trace = std::get<TraceWorkload>(run.workload);
  CHECK(trace.path == file.path());
  CHECK(trace.format == "reticle");
  CHECK(trace.limit == 10);
  CHECK(trace.rate_scale == 0.5);
  CHECK(run.workload_name == file.path() + ":reticle");
  CHECK(std::get<TraceWorkload>(read_run(request({}, file.path())).workload).format.empty());
  CHECK(refusal(request({"workload.batch=3"}, file.path()))
            .starts_with("--set workload.batch=3: workload.batch: unknown key"));
}

TEST_CASE("read_run: every option of a trace is read, bounded and written down") {
  const TempFile file{"{}\n", ".jsonl"};
  const RunSpec run =
      read_run(request({"workload.skip=5", "workload.from=2 s", "workload.to=10 s",
                        "workload.max_input=1000", "workload.max_output=20", "workload.sample=0.5",
                        "workload.seed=9", "workload.skip_bad_rows=true"},
                       file.path()));
  const auto& trace = std::get<TraceWorkload>(run.workload);
  const TraceOptions options = options_of(trace);
  CHECK(options.skip == 5);
  CHECK(options.from == Picoseconds{2'000'000'000'000});
  CHECK(options.to == Picoseconds{10'000'000'000'000});
  CHECK(options.max_input == 1000);
  CHECK(options.max_output == 20);
  CHECK(options.sample == 0.5);
  CHECK(options.seed == 9);
  CHECK(options.skip_bad_rows);
  CHECK(options.rate_scale == 1.0);  // which the engine applies
  for (const auto* key : {"skip", "from", "to", "max_input", "max_output", "sample", "seed",
                          "skip_bad_rows", "limit", "rate_scale"})
    CHECK_FALSE(value_at(run, std::string{"workload."} + key).value.empty());
  const auto refused = [&](const std::string& set) { return refusal(request({set}, file.path())); };
  CHECK(refused("workload.skip=-1").find("must be between 0 and") != std::string::npos);
  CHECK(refused("workload.sample=1.5").find("must be between") != std::string::npos);
  CHECK(refused("workload.to=0 s").find("must be later than `from`") != std::string::npos);
  CHECK(refused("workload.max_inptu=3").find("did you mean max_input?") != std::string::npos);
}

TEST_CASE("read_run: a trace's path is relative to the file that names it") {
  const TempFile file{"kind: trace\npath: sub/../t.jsonl\n"};
  const RunSpec run = read_run(request({}, file.path()));
  const auto expected = std::filesystem::path{file.path()}.parent_path() / "t.jsonl";
  CHECK(std::get<TraceWorkload>(run.workload).path == expected.string());
  const TempFile bad{"kind: trace\npath: t.jsonl\nformat: csv\n"};
  CHECK(
      refusal(request({}, bad.path())).starts_with(bad.path() + ":3:9: workload.format: one of "));
}

TEST_CASE("read_run: a serving policy may come from a file") {
  const TempFile policy{"max_batch: 32\n"};
  RunRequest r = request();
  r.serving = policy.path();
  CHECK(read_run(r).serving.max_batch == 32);
}

TEST_CASE("catalogue_root: RETICLE_HOME must hold configs") {
  ::setenv("RETICLE_HOME", "/nowhere", 1);
  CHECK(message_of([] { (void)catalogue_root(); }) ==
        "RETICLE_HOME: expected a directory that holds configs/, got '/nowhere'");
  ::setenv("RETICLE_HOME", RETICLE_SOURCE_DIR, 1);
  CHECK(catalogue_root() == RETICLE_SOURCE_DIR);
  ::unsetenv("RETICLE_HOME");
}

TEST_CASE("find_config: files below the catalogue are called by their place in it") {
  const std::string path = std::string{RETICLE_SOURCE_DIR} + "/configs/platforms/h100-8.yaml";
  CHECK(find_config(CatalogueKind::Platform, path)->label == "configs/platforms/h100-8.yaml");
  CHECK(find_config(CatalogueKind::Platform, "h100-8")->label == "configs/platforms/h100-8.yaml");
  CHECK(find_config(CatalogueKind::Platform, "/tmp/x.yaml")->label == "/tmp/x.yaml");
  CHECK(find_config(CatalogueKind::Platform, "x") == std::nullopt);
}

TEST_CASE("read_run: attention is taken away with none where mixers come in its place") {
  const std::vector<std::string> mixers{"llm.mixers.a.kind=attention", "llm.mixers.a.heads=64",
                                        "llm.mixers.a.kv_heads=8", "llm.mixers.a.head_dim=128"};
  const RunRequest both = request(mixers);
  CHECK(refusal(both).find("expected attention or mixers, found both") != std::string::npos);
  RunRequest instead = both;
  instead.sets.insert(instead.sets.begin(), "llm.attention=none");
  CHECK(read_run(instead).llm.mixers.size() == 1);
}
}  // namespace reticle
