// SPDX-License-Identifier: Apache-2.0
// reticle sweep: what happens to a store when anything happens to the processes around it.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {
/// Rooflines of a small model, `n` batches by four contexts.
std::string rooflines(int n, const std::string& rest = "") {
  return "sweep: small\n"
         "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}\n"
         "set: [workload.steps=1]\n"
         "axes:\n"
         "  - {key: workload.batch, range: {from: 1, to: " +
         std::to_string(n) + ", steps: " + std::to_string(n) +
         ", whole: true}}\n"
         "  - {key: workload.context, values: [100, 1000, 2000, 4000]}\n" +
         rest;
}

Arguments sweep(const ScratchDirectory& scratch, const std::string& text, const std::string& out,
                const std::string& jobs = "2") {
  write_file(scratch / "s.yaml", text);
  return {"sweep", scratch / "s.yaml", "--out", scratch / out, "--jobs", jobs, "--quiet"};
}

/// Every point but for times, by id.
json points_of(const std::string& store) {
  const Outcome outcome = run_reticle({"sweep", "export", store, "--format", "json"});
  REQUIRE(outcome.code == 0);
  json points = json::parse(outcome.out);
  for (json& p : points) {
    p.erase("wall_s");
    p.erase("peak_rss_bytes");
  }
  return points;
}
}  // namespace

TEST_CASE("sweep: a point is what a run of it alone gives") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(sweep(scratch, rooflines(2), "a")).code == 0);
  const json points = points_of(scratch / "a");
  REQUIRE(points.size() == 8);
  for (const json& p : points) {
    const json alone = json::parse(
        run_reticle(
            steady("h100-8", "llama-3-8b",
                   {"workload.steps=1",
                    "workload.batch=" + p["inputs"]["workload.batch"].get<std::string>(),
                    "workload.context=" + p["inputs"]["workload.context"].get<std::string>()}) +
            Arguments{"--fidelity", "roofline", "--json"})
            .out);
    CHECK(p["digest"] == alone["inputs"]["digest"]);
    CHECK(p["outputs"]["throughput"] == alone["throughput"]["output_tokens_per_s"]);
    CHECK(p["outputs"]["j_per_token"] == alone["energy"]["scopes"]["node"]["per_token_j"]);
  }
}

TEST_CASE("sweep: what does not fit, is skipped or is refused is a row with its reason") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle(sweep(
      scratch,
      "sweep: odd\n"
      "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}\n"
      "set: [workload.steps=1]\n"
      "axes:\n"
      "  - {key: workload.context, values: [100, 8000, 200000]}\n"
      "  - {key: platform.nodes, values: [1, 2, 0]}\n"
      "constraints:\n  - {require: dies * die_area < 10000, reason: too much silicon}\n"
      "limits: [throughput > 0]\n",
      "a"));
  CHECK(outcome.code == 0);
  std::map<std::string, int> by_status;
  for (const json& p : points_of(scratch / "a")) {
    ++by_status[p["status"]];
    if (p["status"] != "ok") CHECK(!p["reason"].get<std::string>().empty());
    if (p["status"] == "skipped") CHECK(contains(p["reason"], "too much silicon"));
  }
  CHECK(by_status ==
        std::map<std::string, int>{{"ok", 2}, {"infeasible", 1}, {"refused", 3}, {"skipped", 3}});
}

TEST_CASE("sweep: the same inputs under two names are worked out once") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle(sweep(
      scratch,
      "sweep: same\n"
      "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}\n"
      "set: [workload.steps=1]\n"
      "axes:\n"
      "  - {variable: nothing, values: [a, b, c, d]}\n"
      "  - {key: workload.batch, values: [1, 2]}\n",
      "a", "1"));
  CHECK(contains(outcome.out, "6 answered by the same inputs"));
  std::set<std::string> digests;
  for (const json& p : points_of(scratch / "a")) digests.insert(p["digest"]);
  CHECK(digests.size() == 2);
}

TEST_CASE("sweep: a value with a line end is that value, of its own point") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(sweep(scratch,
                            "sweep: notes\n"
                            "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, "
                            "fidelity: roofline}\n"
                            "set: [workload.steps=1, placement.tensor_parallel=8]\n"
                            "axes:\n"
                            "  - {variable: note, values: [\"one\\nline\", two]}\n"
                            "  - {key: workload.batch, values: [1, 8]}\n",
                            "a"))
              .code == 0);
  std::map<std::string, std::set<double>> by_batch;
  for (const json& p : points_of(scratch / "a"))
    by_batch[p["inputs"]["workload.batch"]].insert(p["outputs"]["throughput"].get<double>());
  REQUIRE(by_batch["1"].size() == 1);
  REQUIRE(by_batch["8"].size() == 1);
  CHECK(*by_batch["8"].begin() > 2 * *by_batch["1"].begin());
}

namespace {
/// Points of a store that are done; none before there is one.
int done_in(const std::string& store) {
  const Outcome status = run_reticle({"sweep", "status", store});
  const auto at = status.out.find("\n  ok ");
  return status.code != 0 || at == std::string::npos ? 0 : std::stoi(status.out.substr(at + 5));
}
int before(const std::string& out) {
  const auto at = out.find(" were there before");
  if (at == std::string::npos) return 0;
  return std::stoi(out.substr(out.rfind(' ', at - 1)));
}
}  // namespace

TEST_CASE("sweep: killed again and again, it loses nothing and ends as if never killed") {
  using Clock = std::chrono::steady_clock;
  const ScratchDirectory scratch;
  const std::string text = rooflines(60);
  const auto begun = Clock::now();
  REQUIRE(run_reticle(sweep(scratch, text, "whole")).code == 0);
  const std::chrono::duration<double, std::milli> whole_ms = Clock::now() - begun;
  // Between a tenth and a half of the time that all of it takes: no start can do all alone.
  std::mt19937 random{20'260'801};
  int kept = 0, rises = 0;
  for (int kills = 0; kills < 12 && kept < 200; ++kills) {
    const double share = 0.1 + 0.4 * static_cast<double>(random() % 1000) / 1000;
    Process process{sweep(scratch, text, "killed")};
    if (process.wait_for(std::chrono::milliseconds{static_cast<int>(share * whole_ms.count())}))
      break;
    const int now = done_in(scratch / "killed");
    CHECK(now >= kept);
    rises += now > kept;
    kept = now;
  }
  CHECK(rises >= 2);
  const Outcome last = run_reticle(sweep(scratch, text, "killed"));
  CHECK(last.code == 0);
  CHECK(before(last.out) >= kept);
  const json whole = points_of(scratch / "whole");
  CHECK(whole.size() == 240);
  CHECK(points_of(scratch / "killed") == whole);
  CHECK(before(run_reticle(sweep(scratch, text, "killed")).out) == 240);
}

TEST_CASE("sweep: a worker that is killed costs one point, which --retry works out") {
  const ScratchDirectory scratch;
  const std::string text = rooflines(60);
  Process process{sweep(scratch, text, "a")};
  // The workers are the program's children.
  int killed = 0;
  for (int i = 0; i < 2000 && killed < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    const std::string children = read_file("/proc/" + std::to_string(process.id()) + "/task/" +
                                           std::to_string(process.id()) + "/children");
    if (children.empty()) continue;
    killed += ::kill(std::stoi(children), SIGKILL) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds{40});
  }
  REQUIRE(process.wait().code == 0);
  int crashed = 0;
  for (const json& p : points_of(scratch / "a"))
    if (p["status"] == "crashed") {
      ++crashed;
      CHECK(p["reason"] == "ended by signal 9");
    } else {
      CHECK(p["status"] == "ok");
    }
  CHECK(crashed > 0);
  CHECK(crashed <= killed);
  REQUIRE(run_reticle(sweep(scratch, text, "a") + Arguments{"--retry"}).code == 0);
  REQUIRE(run_reticle(sweep(scratch, text, "whole")).code == 0);
  CHECK(points_of(scratch / "a") == points_of(scratch / "whole"));
}

TEST_CASE("sweep: two on one store: the second says who has it, and harms nothing") {
  const ScratchDirectory scratch;
  const std::string text = rooflines(60);
  Process first{sweep(scratch, text, "a")};
  while (!std::filesystem::exists(scratch / "a/sweep.sqlite-wal"))
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  Outcome second;
  for (int i = 0; i < 200 && !contains(second.err, "another sweep works"); ++i)
    second = run_reticle(sweep(scratch, text, "a"));
  CHECK(second.code == 3);
  CHECK(contains(second.err,
                 "another sweep works on this store, process " + std::to_string(first.id())));
  CHECK(first.wait().code == 0);
  CHECK(points_of(scratch / "a").size() == 240);
}

TEST_CASE("sweep: a damaged store is refused and left as it is") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(sweep(scratch, rooflines(10), "a")).code == 0);
  std::string bytes = read_file(scratch / "a/sweep.sqlite");
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 8000; ++i) bytes[i] = 'x';
  write_file(scratch / "a/sweep.sqlite", bytes);
  const Outcome outcome = run_reticle(sweep(scratch, rooflines(10), "a"));
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "damaged"));
  CHECK(read_file(scratch / "a/sweep.sqlite") == bytes);
}

TEST_CASE("sweep: on a full disk it says so, keeps what it has, and goes on when there is room") {
  const ScratchDirectory scratch;
  const std::string disk = scratch / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=320k") != 0) {
    MESSAGE("SKIPPED: mounting a small disk needs root");
    return;
  }
  const std::string text = rooflines(60);
  const Outcome full = run_reticle(sweep(scratch, text, "disk"));
  CHECK(full.code == 3);
  CHECK(contains(full.err, "full"));
  CHECK(contains(full.err, "make room"));
  CHECK(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=32m") == 0);
  const Outcome again = run_reticle(sweep(scratch, text, "disk"));
  CHECK(again.code == 0);
  CHECK(contains(again.out, "were there before"));
  REQUIRE(run_reticle(sweep(scratch, text, "whole")).code == 0);
  CHECK(points_of(disk) == points_of(scratch / "whole"));
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_CASE("output faults: Ctrl-C keeps the points of a sweep, and it goes on from there") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const ScratchDirectory scratch;
    const std::string text = rooflines(60);
    Process process{sweep(scratch, text, "a")};
    for (int i = 0; i < 2000 && done_in(scratch / "a") == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    const Outcome outcome = process.interrupt(signal);
    CAPTURE(outcome.err);
    table_row(std::string{"sweep, "} + (signal == SIGINT ? "SIGINT" : "SIGTERM"), outcome);
    CHECK(outcome.code == 130);
    const int kept = done_in(scratch / "a");
    CHECK(kept > 0);
    CHECK(contains(outcome.err, "interrupted after " + std::to_string(kept) +
                                    " of 240 points: the same command goes on from here"));
    CHECK(run_reticle({"sweep", "report", scratch / "a"}).code == 0);  // of what is there
    const Outcome again = run_reticle(sweep(scratch, text, "a"));
    CHECK(again.code == 0);
    CHECK(before(again.out) == kept);
    CHECK(points_of(scratch / "a").size() == 240);
  }
}

TEST_CASE("sweep: progress says what is known, and no more") {
  const ScratchDirectory scratch;
  Arguments args = sweep(scratch,
                         "sweep: slow\nrun: {platform: ref-asic, llm: claude-class-mid, workload: "
                         "steady-decode}\nset: [workload.steps=150000, engine.recall=off]\n"
                         "axes:\n  - {key: workload.batch, values: [1, 2]}\n",
                         "a");
  args.pop_back();  // --quiet
  Process process{args};
  std::this_thread::sleep_for(std::chrono::milliseconds{1500});
  const Outcome outcome = process.interrupt(SIGINT);
  CHECK(outcome.code == 130);
  CHECK_MESSAGE(outcome.err.starts_with("0 of 2 points\n"), outcome.err);
}

namespace {
std::map<std::string, std::string> files_in(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator{directory})
    if (entry.is_regular_file()) files[entry.path().filename()] = read_file(entry.path());
  return files;
}

/// Nothing in a directory may be written while this is there, by processes whose modes hold.
class WriteProtected {
 public:
  explicit WriteProtected(std::string directory) : directory_{std::move(directory)} {
    set(std::filesystem::perms::owner_read, std::filesystem::perms::owner_exec);
  }
  ~WriteProtected() {
    set(std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
        std::filesystem::perms::owner_exec);
  }
  WriteProtected(const WriteProtected&) = delete;
  WriteProtected& operator=(const WriteProtected&) = delete;

 private:
  void set(std::filesystem::perms files, std::filesystem::perms directory) const {
    std::filesystem::permissions(directory_, files | directory);
    for (const auto& entry : std::filesystem::directory_iterator{directory_})
      std::filesystem::permissions(entry.path(), files);
  }
  const std::string directory_;
};
}  // namespace

TEST_CASE("output faults: a sweep is read where nothing may be written") {
  const ScratchDirectory scratch;
  const std::string odd = "a #1?%20b";  // a name that a URI would take for something else
  REQUIRE(run_reticle(sweep(scratch, rooflines(2), odd)).code == 0);
  const std::string store = scratch / odd;
  const auto before = files_in(store);
  const auto written = std::filesystem::last_write_time(store + "/sweep.sqlite");
  const Outcome exported = run_reticle({"sweep", "export", store});
  {
    const WriteProtected locked{store};
    const Faults held{.modes_hold = true};
    const Outcome status = run_reticle({"sweep", "status", store}, held);
    CHECK_MESSAGE(status.code == 0, status.err);
    CHECK(contains(status.out, "  ok          8\n"));
    CHECK(run_reticle({"sweep", "export", store}, held).out == exported.out);
    const Outcome report =
        run_reticle({"sweep", "report", store, "--out", scratch / "report"}, held);
    CHECK_MESSAGE(report.code == 0, report.err);
    CHECK(std::filesystem::exists(scratch / "report/report.html"));
    const Outcome beside = run_reticle({"sweep", "report", store}, held);
    table_row("sweep report, store that is read-only", beside);
    CHECK(beside.code == 3);
    CHECK(contains(beside.err, "--out: expected a directory that can be written"));
    const Outcome more = run_reticle(sweep(scratch, rooflines(2), odd), held);
    CHECK(more.code == 3);
  }
  CHECK(files_in(store) == before);
  CHECK(std::filesystem::last_write_time(store + "/sweep.sqlite") == written);
  // The file alone may be locked, too: nothing is left beside it.
  std::filesystem::permissions(store + "/sweep.sqlite", std::filesystem::perms::owner_read);
  CHECK(run_reticle({"sweep", "status", store}, {.modes_hold = true}).code == 0);
  CHECK(files_in(store) == before);
}

TEST_CASE("output faults: a sweep is read by who may not write, while it runs and after a kill") {
  const ScratchDirectory scratch;
  const Faults held{.modes_hold = true};
  Process process{sweep(scratch, rooflines(60), "a")};
  for (int i = 0; i < 2000 && done_in(scratch / "a") == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  const auto status = [&] {
    const WriteProtected locked{scratch / "a"};
    return run_reticle({"sweep", "status", scratch / "a"}, held);
  };
  const Outcome running = status();
  CHECK_MESSAGE(running.code == 0, running.err);
  CHECK(contains(running.out, "\n  ok "));
  process.interrupt(SIGKILL);
  const auto before = files_in(scratch / "a");
  REQUIRE(before.contains("sweep.sqlite-wal"));
  const Outcome killed = status();
  CHECK_MESSAGE(killed.code == 0, killed.err);
  CHECK(contains(killed.out, "\n  ok "));
  CHECK(files_in(scratch / "a") == before);
  // Its log without the index that stood beside it is not passed over.
  std::filesystem::remove(scratch / "a/sweep.sqlite-shm");
  const Outcome log = status();
  table_row("sweep status, read-only store of a killed sweep without its -shm", log);
  CHECK(log.code == 3);
  CHECK(contains(log.err, "copy the directory"));
}

TEST_CASE(
    "sweep: halving keeps the rooflines it decided by, and a report tells bounds from results") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(sweep(scratch,
                            "sweep: half\n"
                            "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
                            "set: [workload.steps=1]\n"
                            "axes:\n  - {key: workload.batch, values: [1, 2, 4, 8]}\n"
                            "halving: {keep: 2}\n",
                            "a"))
              .code == 0);
  const json points = points_of(scratch / "a");
  REQUIRE(points.size() == 6);
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(points[i]["fidelity"] == (i < 4 ? "roofline" : "transaction"));
  REQUIRE(run_reticle({"sweep", "report", scratch / "a"}).code == 0);
  const json analysis = json::parse(read_file(scratch / "a/analysis.json"));
  for (const json& id : analysis["front"]) CHECK(id.get<int>() >= 4);
  CHECK(contains(read_file(scratch / "a/report.html"), "application/json"));
}

TEST_CASE("sweep: under one plan more weights in SRAM never cost time, and dies add bandwidth") {
  const ScratchDirectory scratch;
  for (const std::string fidelity : {"roofline", "transaction"}) {
    const Outcome outcome = run_reticle(sweep(
        scratch,
        "sweep: more\nrun: {platform: ref-asic, llm: claude-class-mid, workload: steady-decode, "
        "fidelity: " +
            fidelity +
            "}\nset: [workload.steps=1, placement.expert_parallel=1, "
            "placement.pipeline_parallel=1]\n"
            "axes:\n"
            "  - zip:\n"
            "      - {key: platform.packages_per_node, values: [12, 28]}\n"
            "      - {key: placement.tensor_parallel, values: [48, 112]}\n"
            "  - {key: placement.sram_fraction, range: {from: 0, to: 0.5, steps: 6}}\n",
        fidelity));
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    std::map<int, std::map<double, json>> by_dies;
    for (const json& p : points_of(scratch / fidelity))
      if (p["status"] == "ok")
        by_dies[p["outputs"]["dies"]]
               [std::stod(p["inputs"]["placement.sram_fraction"].get<std::string>())] =
                   p["outputs"];
    REQUIRE(by_dies.size() == 2);
    for (const auto& [dies, line] : by_dies) {
      CHECK(line.size() >= 3);
      double before = 0, weights = -1;
      for (const auto& [fraction, outputs] : line) {
        // Rounding to whole tiles may move a step by that much.
        CHECK(outputs["throughput"].get<double>() >= before * (1 - 5e-3));
        CHECK(outputs["sram_weights"].get<double>() > weights);
        before = std::max(before, outputs["throughput"].get<double>());
        weights = outputs["sram_weights"];
      }
    }
    const json& few = by_dies.begin()->second.at(0);
    const json& many = by_dies.rbegin()->second.at(0);
    for (const char* key : {"sram_bandwidth", "hbm_bandwidth", "sram_capacity", "silicon_area"})
      CHECK(std::abs(many[key].get<double>() / few[key].get<double>() - 112.0 / 48) < 1e-12);
    CHECK(many["effective_bandwidth"].get<double>() > few["effective_bandwidth"].get<double>());
  }
}

TEST_CASE("sweep: where the limit changes along an axis, the report says between which values") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(sweep(scratch,
                            "sweep: cross\nrun: {platform: h100-8, llm: llama-3-8b, workload: "
                            "steady-decode}\nset: [workload.steps=1, "
                            "workload.context=6000]\naxes:\n"
                            "  - {key: workload.batch, values: [1, 4, 16, 64, 256]}\n",
                            "a"))
              .code == 0);
  const Outcome report = run_reticle({"sweep", "report", scratch / "a"});
  const json points = points_of(scratch / "a");
  std::map<int, std::string> limit_of;
  for (const json& p : points)
    limit_of[std::stoi(p["inputs"]["workload.batch"].get<std::string>())] =
        p["outputs"]["limited_by"];
  int changes = 0;
  for (auto at = std::next(limit_of.begin()); at != limit_of.end(); ++at) {
    const auto before = std::prev(at);
    if (before->second == at->second) continue;
    ++changes;
    CHECK(contains(report.out, "Between workload.batch " + std::to_string(before->first) + " and " +
                                   std::to_string(at->first) + " the limit changes from " +
                                   before->second + " to " + at->second));
  }
  CHECK(changes > 0);
}

TEST_CASE("sweep: without one result it fails, and says why, so does its report") {
  const ScratchDirectory scratch;
  const std::string head =
      "sweep: none\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, "
      "fidelity: roofline}\naxes:\n";
  const Outcome refused = run_reticle(
      sweep(scratch, head + "  - {key: placement.tensor_parallel, values: [3, 5]}\n", "refused"));
  CHECK(refused.code == 3);
  CHECK(contains(refused.out, "refused, the first: "));
  CHECK(contains(refused.out, "; tensor_parallel could be 1, 2, 4, 8"));
  CHECK(contains(refused.err, "no point has a result"));
  const Outcome report = run_reticle({"sweep", "report", scratch / "refused"});
  CHECK(contains(report.out, "No point has a result: 2 refused"));
  const Outcome full = run_reticle(sweep(
      scratch, head + "  - {key: workload.context, values: [7000000, 8000000]}\n", "infeasible"));
  CHECK(full.code == 4);
}

TEST_CASE("sweep: halving that keeps no point fails, and says why") {
  const ScratchDirectory scratch;
  const Outcome none = run_reticle(
      sweep(scratch,
            "sweep: none\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
            "set: [workload.steps=1, placement.tensor_parallel=8]\n"
            "axes:\n  - {key: workload.batch, values: [1, 2]}\nhalving: {keep: 1}\n"
            "limits: [throughput < 1]\n",
            "a"));
  CHECK(none.code == 4);
  CHECK(contains(none.err, "halving kept no point"));
  const Outcome report = run_reticle({"sweep", "report", scratch / "a"});
  CHECK(contains(report.out, "Halving kept no point: none of the 2 rooflines"));
}

TEST_CASE(
    "sweep: a wrong key, or a figure that no point can have, is found before the first point") {
  const ScratchDirectory scratch;
  const std::string good = rooflines(2);
  std::string misspelt = good;
  misspelt.replace(misspelt.find("workload.context"), 16, "workload.contxt");
  const std::string nothing = "platform.nodes, values: [0, -1]";
  std::string refused = good;
  const std::string axis = "workload.context, values: [100, 1000, 2000, 4000]";
  refused.replace(refused.find(axis), axis.size(), nothing);
  const struct {
    std::string text;
    std::vector<const char*> says;
  } cases[]{
      {misspelt, {"workload.contxt: unknown key (did you mean context?)"}},
      {refused, {"every point is refused, the first: ", "platform.nodes"}},
      {rooflines(2, "limits: [tpot_p99 < 100 ms]\n"), {"tpot_p99", "workload.steps above 1"}},
      {rooflines(2, "limits: [ttft_p99 < 100]\n"), {"ttft_p99", "begin with a prompt"}},
      {rooflines(2, "objectives: [good_tokens_per_s]\n"), {"good_tokens_per_s", "ttft_limit"}}};
  for (const auto& wrong : cases) {
    const Outcome outcome = run_reticle(sweep(scratch, wrong.text, "a"));
    const Outcome checked = run_reticle({"check", scratch / "s.yaml"});
    for (const Outcome* said : {&outcome, &checked}) {
      CHECK(said->code == 3);
      for (const char* part : wrong.says) CHECK_MESSAGE(contains(said->err, part), said->err);
    }
    CHECK_FALSE(std::filesystem::exists(scratch / "a"));
  }
  // An axis may bring what the first point does not have, and refuse some of its values.
  std::string steps = rooflines(2, "limits: [tpot_p99 < 100 ms]\n");
  steps.replace(steps.find("set: [workload.steps=1]\n"), 24, "");
  steps.replace(steps.find(axis), axis.size(), "workload.steps, values: [0, 1, 2]");
  write_file(scratch / "s.yaml", steps);
  CHECK(run_reticle({"check", scratch / "s.yaml"}).code == 0);
}

TEST_CASE("sweep: the answer stands where it ends, and in its report") {
  const ScratchDirectory scratch;
  const Outcome outcome =
      run_reticle(sweep(scratch,
                        rooflines(4,
                                  "objectives: [throughput, j_per_token]\nlimits: [power <= 1 "
                                  "MW]\nallow: [power, heat_flux]\n"),
                        "a"));
  REQUIRE(outcome.code == 0);
  const Outcome report = run_reticle({"sweep", "report", scratch / "a"});
  double most = 0;
  std::string best;
  for (const json& p : points_of(scratch / "a"))
    if (p["outputs"]["throughput"].get<double>() > most) {
      most = p["outputs"]["throughput"];
      best = std::to_string(p["id"].get<int>());
    }
  for (const std::string& out : {outcome.out, report.out})
    CHECK(contains(out, "tokens/s at point " + best + " (workload.batch 4"));
  CHECK(contains(report.out, "most throughput first:\n"));
  CHECK(contains(report.out, "throughput [tokens/s]"));
}

TEST_CASE("sweep: shards that tasks of a cluster left are taken over, here as there") {
  const ScratchDirectory scratch;
  const std::string text = rooflines(4);
  REQUIRE(run_reticle(sweep(scratch, text, "done")).code == 0);
  // As if a task had done all that the store has open.
  const auto leave = [&](const std::string& out) {
    std::filesystem::create_directories(scratch / (out + "/slurm"));
    std::filesystem::copy_file(scratch / "done/sweep.sqlite",
                               scratch / (out + "/slurm/shard-0.sqlite"));
  };
  Process{sweep(scratch, text, "a")}.interrupt(SIGKILL);
  leave("a");
  const Outcome taken = run_reticle(sweep(scratch, text, "a"));
  CHECK(taken.code == 0);
  CHECK((before(taken.out) == 16 || contains(taken.out, "16 answered by the same inputs")));
  CHECK_FALSE(std::filesystem::exists(scratch / "a/slurm"));
  // Of another sweep: no trap, and what it knows is not worked out again.
  leave("b");
  const Outcome other = run_reticle(sweep(scratch, rooflines(4, "objectives: [per_user]\n"), "b") +
                                    Arguments{"--replace"});
  CHECK(other.code == 0);
  CHECK(contains(other.out, "16 answered by the same inputs"));
}

TEST_CASE("sweep: what --set gives is of the sweep, for who goes on and for who reads it") {
  const ScratchDirectory scratch;
  const Arguments args = sweep(scratch, rooflines(2), "a");
  const Arguments cut = args + sets({"placement.tensor_parallel=4"});
  REQUIRE(run_reticle(cut).code == 0);
  CHECK(before(run_reticle(cut).out) == 8);
  for (const json& p : points_of(scratch / "a")) CHECK(contains(p["outputs"]["plan"], "TP4"));
  CHECK(run_reticle({"sweep", "report", scratch / "a"}).code == 0);
  const Outcome without = run_reticle(args);
  CHECK(without.code == 3);
  CHECK(contains(without.err, "holds another sweep"));
}

TEST_CASE("sweep: what is an axis cannot be set beside, and nothing is left behind by a mistake") {
  const ScratchDirectory scratch;
  Arguments args = sweep(scratch, rooflines(2), "a");
  const Outcome set = run_reticle(args + Arguments{"--set", "workload.batch=7"});
  CHECK(set.code == 3);
  CHECK(contains(set.err, "workload.batch is an axis of sweep small"));
  const Outcome jobs = run_reticle(sweep(scratch, rooflines(2), "a", "0"));
  CHECK(jobs.code == 2);
  CHECK(contains(jobs.err, "range 1 to"));
  std::string unknown = rooflines(2);
  unknown.replace(unknown.find("h100-8"), 6, "h900-8");
  CHECK(run_reticle(sweep(scratch, unknown, "a")).code == 3);
  CHECK_FALSE(std::filesystem::exists(scratch / "a"));
}
