// SPDX-License-Identifier: Apache-2.0
// Whatever befalls its output, a file of the program is there whole or not at all, what was there
// stays, and the program says what happened. One row of `commands` per command that writes files.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/process.hpp"

using namespace reticle::test;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// Hours, if nobody stops it.
const Arguments kEndless = steady("ref-asic", "claude-class-mid", {"workload.steps=150000"});

struct Writer {
  std::string name;
  std::string target;  ///< file or directory, below `work`
  std::function<Arguments(const std::string& work)> command;
  Arguments before{};  ///< what must have been run, in `work`
};

Arguments small_run(const std::string& work) {
  return steady("h100-8", "llama-3-8b", {"workload.steps=1"}) + Arguments{"--out", work + "/run"};
}
Arguments small_sweep(const std::string& work) {
  write_file(work + "/s.yaml",
             "sweep: s\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
             "set: [workload.steps=1, engine.fidelity=roofline]\n"
             "axes:\n  - {key: workload.batch, values: [1, 2, 4, 8]}\n");
  return {"sweep", work + "/s.yaml", "--out", work + "/sweep", "--quiet"};
}
Arguments small_compare(const std::string& work) {
  return Arguments{"compare",    "--platforms", "h100-8", "--llm",          "llama-3-8b",
                   "--workload", "sample-chat", "--out",  work + "/compare"} +
         sets({"engine.fidelity=roofline", "workload.limit=4"});
}
const std::string kHfConfig =
    R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64,
"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 128,
"vocab_size": 1000, "max_position_embeddings": 1024, "torch_dtype": "bfloat16",
"tie_word_embeddings": false})";

/// Stands in for rsvg-convert, first on the PATH: a PNG's signature and what it was given.
class FakeConverter {
 public:
  FakeConverter() {
    const fs::path program = folder_.path() / "rsvg-convert";
    write_file(program,
               "#!/bin/sh\n[ $# -eq 0 ] || exit 1\nprintf '\\211PNG\\r\\n\\032\\n'\nexec cat\n");
    fs::permissions(program, fs::perms::owner_all);
    ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1);
  }
  ~FakeConverter() { ::setenv("PATH", before_.c_str(), 1); }
  FakeConverter(const FakeConverter&) = delete;
  FakeConverter& operator=(const FakeConverter&) = delete;

 private:
  const ScratchDirectory folder_;
  const std::string before_ = std::getenv("PATH");
};

const std::vector<Writer> kWriters{
    {"run --out", "run", small_run},
    {"run --timeline", "t.json",
     [](const std::string& work) {
       return steady("h100-8", "llama-3-8b", {"workload.steps=1"}) +
              Arguments{"--timeline", work + "/t.json"};
     }},
    {"run --vcd", "t.vcd",
     [](const std::string& work) {
       return steady("h100-8", "llama-3-8b", {"workload.steps=1"}) +
              Arguments{"--vcd", work + "/t.vcd"};
     }},
    {"run --pareto --out", "pareto",
     [](const std::string& work) {
       return steady("h100-8", "llama-3-8b",
                     {"workload.steps=2", "engine.fidelity=roofline", "serving.max_batch=64"}) +
              Arguments{"--pareto", "--out", work + "/pareto"};
     }},
    {"explain", "run/explain.json",
     [](const std::string& work) {
       REQUIRE(run_reticle(small_run(work)).code == 0);
       return Arguments{"explain", work + "/run"};
     }},
    {"sweep", "sweep", small_sweep},
    {"sweep report", "report",
     [](const std::string& work) {
       REQUIRE(run_reticle(small_sweep(work)).code == 0);
       return Arguments{"sweep", "report", work + "/sweep", "--out", work + "/report"};
     }},
    {"compare", "compare", small_compare},
    {"registry validate", "validation",
     [](const std::string& work) {
       return Arguments{"registry", "validate", "B15", "--out", work + "/validation"};
     }},
    {"registry site", "site",
     [](const std::string& work) {
       return Arguments{"registry", "site", "--out", work + "/site"};
     }},
    {"workload generate", "w.jsonl",
     [](const std::string& work) {
       return Arguments{"workload", "generate", "--preset", "coding-agent", "--requests",
                        "200",      "--seed",   "1",        "--out",        work + "/w.jsonl"};
     }},
    {"workload describe --plot", "p.svg",
     [](const std::string& work) {
       return Arguments{"workload", "describe",
                        RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl", "--plot",
                        work + "/p.svg"};
     }},
    {"workload describe --plot p.png", "p.png",
     [](const std::string& work) {
       static const FakeConverter converter;
       return Arguments{"workload", "describe",
                        RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl", "--plot",
                        work + "/p.png"};
     }},
    {"workload import", "w.jsonl",
     [](const std::string& work) {
       return Arguments{"workload", "import",
                        RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl", "--out",
                        work + "/w.jsonl"};
     }},
    {"workload routing --out", "r.jsonl",
     [](const std::string& work) {
       return Arguments{"workload", "routing",  "--llm", "gpt-oss-20b", "--sessions",
                        "2",        "--tokens", "4",     "--out",       work + "/r.jsonl"};
     }},
    {"validate components --csv", "c.csv",
     [](const std::string& work) {
       return Arguments{"validate", "components",
                        "--rows",   RETICLE_SOURCE_DIR "/configs/measured/components.csv",
                        "--op",     "allreduce",
                        "--csv",    work + "/c.csv"};
     }},
    {"validate systems --csv", "s.csv",
     [](const std::string& work) {
       return Arguments{
           "validate", "systems",      "--rows", RETICLE_SOURCE_DIR "/configs/measured/systems.csv",
           "--filter", "S006",         "--set",  "engine.fidelity=roofline",
           "--csv",    work + "/s.csv"};
     }},
    {"manual schema", "schemas",
     [](const std::string& work) {
       return Arguments{"manual", "schema", work + "/schemas"};
     }},
    {"llm import --out", "llm.yaml",
     [](const std::string& work) {
       write_file(work + "/config.json", kHfConfig);
       return Arguments{"llm", "import", work + "/config.json", "--out", work + "/llm.yaml"};
     }},
};

/// Path below `root` -> content, of every file.
std::map<std::string, std::string> contents(const fs::path& root) {
  std::map<std::string, std::string> files;
  if (fs::is_regular_file(root)) files[""] = read_file(root);
  if (!fs::is_directory(root)) return files;
  for (const auto& entry : fs::recursive_directory_iterator{root})
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), root).string()] = read_file(entry.path());
  return files;
}

/// SQLite's own: a store survives a full disk by its journal, and stands in sweep_test.cpp.
bool of_store(const std::string& name) { return name.find(".sqlite") != std::string::npos; }

void check_whole(const fs::path& root) {
  for (const auto& [name, text] : contents(root)) {
    CAPTURE(name);
    if (of_store(name)) continue;
    const std::string path = name.empty() ? root.string() : name;
    if (path.ends_with(".json")) CHECK(json::accept(text));
    if (path.ends_with(".html")) CHECK(contains(text, "</html>"));
    CHECK(fs::path{path}.extension().string().size() <= 6);  // a temporary file has .XXXXXX
  }
}

Outcome run_in(const Writer& writer, const std::string& work, const Faults& faults = {}) {
  return run_reticle(writer.command(work), faults);
}
}  // namespace

TEST_CASE("output faults: a disk that is full leaves nothing half-written, and exit 3 says so") {
  for (const Writer& writer : kWriters) {
    CAPTURE(writer.name);
    const ScratchDirectory scratch;
    const Outcome full = run_in(writer, scratch.path(), {.file_size = 128});
    CAPTURE(full.err);
    table_row(writer.name + ", full disk", full);
    CHECK(full.code == 3);
    CHECK((contains(full.err, "File too large") || contains(full.err, "full") ||
           contains(full.err, "disk I/O error")));
    check_whole(scratch / writer.target);
    // With room, the same command does.
    const Outcome again = run_in(writer, scratch.path());
    CAPTURE(again.err);
    CHECK(again.code == 0);
    CHECK(!contents(scratch / writer.target).empty());
    check_whole(scratch / writer.target);
  }
}

TEST_CASE(
    "output faults: a disk that is full leaves the results of an earlier command as they were") {
  for (const Writer& writer : kWriters) {
    CAPTURE(writer.name);
    const ScratchDirectory scratch;
    REQUIRE(run_in(writer, scratch.path()).code == 0);
    const auto before = contents(scratch / writer.target);
    (void)run_in(writer, scratch.path(), {.file_size = 128});
    auto after = contents(scratch / writer.target);
    for (const auto& [name, text] : before) {
      CAPTURE(name);
      if (!of_store(name)) CHECK(after[name] == text);
      after.erase(name);
    }
    for (const auto& [name, text] : after) CHECK_MESSAGE(of_store(name), name);
  }
}

TEST_CASE("output faults: a directory that nobody may write ends with 3, root included") {
  for (const Writer& writer : kWriters) {
    CAPTURE(writer.name);
    const ScratchDirectory scratch;
    Arguments command = writer.command(scratch.path());
    // Of explain that is the directory of the run.
    const std::string locked = scratch / (writer.name == "explain" ? "run" : "locked");
    fs::create_directory(locked);
    for (std::string& word : command)
      if (word == scratch / writer.target) word = locked + "/" + writer.target;
    fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
    const auto before = contents(locked);
    const Outcome outcome = run_reticle(command, {.modes_hold = true});
    CAPTURE(outcome.err);
    table_row(writer.name + ", read-only directory", outcome);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, locked));
    CHECK((contains(outcome.err, "Permission denied") || contains(outcome.err, "unable to open")));
    CHECK(contents(locked) == before);
    fs::permissions(locked, fs::perms::owner_all);
  }
}

TEST_CASE("output faults: a file in the way of a directory ends with 3 and stays") {
  for (const Writer& writer : kWriters) {
    CAPTURE(writer.name);
    const ScratchDirectory scratch;
    Arguments command = writer.command(scratch.path());
    const std::string target = scratch / writer.target;
    if (writer.target.find('.') != std::string::npos) {  // a file: a directory is in its way
      fs::create_directories(target + "/inside");
    } else {
      fs::remove_all(target);
      write_file(target, "mine");
    }
    const Outcome outcome = run_reticle(command);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    table_row(writer.name + ", something else in its place", outcome);
    CHECK(contains(outcome.err, target));
    if (fs::is_regular_file(target)) CHECK(read_file(target) == "mine");
    if (fs::is_directory(target)) CHECK(fs::exists(target + "/inside"));
  }
}

TEST_CASE("output faults: what explain keeps has a file in its way") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(small_run(scratch.path())).code == 0);
  write_file(scratch / "run/what-if", "mine");
  const Outcome outcome = run_reticle({"explain", scratch / "run"});
  CAPTURE(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "run/what-if: expected a directory that can be written"));
  CHECK(read_file(scratch / "run/what-if") == "mine");
}

TEST_CASE("output faults: a timeline takes no result's place") {
  const ScratchDirectory scratch;
  const Arguments run = small_run(scratch.path()) + Arguments{"--steps"};
  REQUIRE(run_reticle(run).code == 0);
  fs::create_directory_symlink("run", scratch / "same");
  for (const auto& [name, text] : contents(scratch / "run")) {
    CAPTURE(name);
    for (const std::string& path : {scratch / ("run/" + name), scratch / ("same/" + name)}) {
      const Outcome outcome = run_reticle(run + Arguments{"--timeline", path});
      CHECK(outcome.code == 3);
      CHECK(contains(outcome.err, "--timeline: expected another file than those of --out"));
    }
    CHECK(read_file(scratch / ("run/" + name)) == text);
  }
  CHECK(run_reticle(run + Arguments{"--vcd", scratch / "run/power.csv"}).code == 3);
  CHECK(run_reticle(run + Arguments{"--timeline", scratch / "run/t.json"}).code == 0);
}

TEST_CASE("output faults: a PNG leaves alone what is beside it, whatever its name is") {
  const ScratchDirectory scratch;
  const FakeConverter converter;
  for (const char* name : {"p.png.tmp.svg", "p.png.tmp.png"}) write_file(scratch / name, "mine");
  const fs::path before = fs::current_path();
  fs::current_path(scratch.path());
  for (const char* name : {"p.png", "./-o.png"}) {
    const Outcome outcome =
        run_reticle({"workload", "describe", RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl",
                     "--plot=" + std::string{name}});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(read_file(scratch / name).starts_with("\x89PNG"));
  }
  fs::current_path(before);
  CHECK(contains(read_file(scratch / "p.png"), "</svg>"));  // it was given the whole drawing
  for (const char* name : {"p.png.tmp.svg", "p.png.tmp.png"})
    CHECK(read_file(scratch / name) == "mine");
  CHECK(contents(scratch.path()).size() == 4);
}

TEST_CASE("output faults: in a directory that is there, only files of its own are replaced") {
  for (const Writer& writer : kWriters) {
    if (writer.target.find('.') != std::string::npos) continue;
    CAPTURE(writer.name);
    const ScratchDirectory scratch;
    fs::create_directories(scratch / writer.target);
    write_file(scratch / (writer.target + "/mine.txt"), "mine");
    for (int i = 0; i < 2; ++i) {
      const Outcome outcome = run_in(writer, scratch.path());
      CAPTURE(outcome.err);
      CHECK(outcome.code == 0);
    }
    CHECK(read_file(scratch / (writer.target + "/mine.txt")) == "mine");
    check_whole(scratch / writer.target);
  }
}

TEST_CASE("output faults: a sweep takes no store of another sweep for its own") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(small_sweep(scratch.path())).code == 0);
  const std::string store = read_file(scratch / "sweep/sweep.sqlite");
  const Outcome other =
      run_reticle(small_sweep(scratch.path()) + Arguments{"--set", "workload.context=100"});
  table_row("sweep, another sweep's directory", other);
  CHECK(other.code == 3);
  CHECK(contains(other.err, "holds another sweep, 's' as it was then: give another --out, or "));
  CHECK(read_file(scratch / "sweep/sweep.sqlite") == store);
}

TEST_CASE("output faults: standard output that cannot be written is told, small or large") {
  const Faults full{.out = "/dev/full"};
  const ScratchDirectory scratch;
  const Arguments run = steady("h100-8", "llama-3-8b", {"workload.steps=1"});
  for (const Arguments& command :
       {Arguments{"list", "platforms"}, run, run + Arguments{"--json"}, Arguments{"--version"},
        Arguments{"describe", "platform", "h100-8", "--json"}, small_compare(scratch.path()),
        Arguments{"manual", "bash"}}) {
    CAPTURE(command.front());
    const Outcome outcome = run_reticle(command, full);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    table_row(command.front() + " to /dev/full", outcome);
    CHECK(contains(outcome.err, "standard output: cannot write: No space left on device"));
  }
}

TEST_CASE("output faults: a small disk that fills up, as a disk does") {
  const ScratchDirectory scratch;
  const std::string disk = scratch / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=32k") != 0) {
    MESSAGE("SKIPPED: mounting a small disk needs root");
    return;
  }
  const Arguments run = steady("h100-8", "llama-3-8b", {"workload.steps=1"});
  const Outcome full = run_reticle(run + Arguments{"--out", disk + "/run"});
  CHECK(full.code == 3);
  CHECK(contains(full.err, "cannot write: No space left on device"));
  CHECK(contents(disk).empty());
  CHECK(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=8m") == 0);
  CHECK(run_reticle(run + Arguments{"--out", disk + "/run"}).code == 0);
  const auto whole = contents(disk);
  CHECK(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0);
  const Outcome read_only = run_reticle(run + Arguments{"--out", disk + "/run"});
  CHECK(read_only.code == 3);
  CHECK(contains(read_only.err, "Read-only file system"));
  CHECK(contents(disk) == whole);
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_CASE(
    "output faults: Ctrl-C ends a run after its step, report and message say how far it came") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const ScratchDirectory scratch;
    REQUIRE(run_reticle(small_run(scratch.path())).code == 0);
    const auto before = contents(scratch / "run");
    Process process{kEndless + Arguments{"--out", scratch / "run", "--json"}};
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    const Outcome outcome = process.interrupt(signal);
    CAPTURE(outcome.err);
    table_row(std::string{"run, "} + (signal == SIGINT ? "SIGINT" : "SIGTERM"), outcome);
    CHECK(outcome.code == 130);
    CHECK(contains(outcome.err, "interrupted after "));
    CHECK(contains(outcome.err, "s simulated, 0 of 1 requests finished"));
    const json report = json::parse(outcome.out);
    CHECK(report["steps"].get<int>() > 0);
    CHECK(report["requests"]["unfinished"] == 1);
    CHECK(contains(outcome.err, "after " + report["steps"].dump() + " steps"));
    // What was whole stays, beside what is not.
    auto after = contents(scratch / "run");
    for (const auto& [name, text] : before) {
      CHECK(after[name] == text);
      CHECK(after.contains("interrupted/" + name));
    }
    CHECK(after.size() == 2 * before.size());
    CHECK(after["interrupted/report.json"] == outcome.out);
    check_whole(scratch / "run");
  }
}

TEST_CASE("output faults: a signal while a file grows leaves none of it, and what was there") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const ScratchDirectory scratch;
    write_file(scratch / "w.jsonl", "mine");
    Process process{
        {"workload", "generate", "--requests", "3000000", "--out", scratch / "w.jsonl"}};
    while (contents(scratch.path()).size() < 2)
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    const Outcome outcome = process.interrupt(signal);
    CHECK(outcome.code == -1);  // by the signal: shells say 128 and its number
    CHECK(contains(outcome.err, "interrupted: files under way are gone"));
    CHECK(contents(scratch.path()) == std::map<std::string, std::string>{{"w.jsonl", "mine"}});
  }
}

TEST_CASE("output faults: Ctrl-C leaves a front of the batches that are done") {
  const ScratchDirectory scratch;
  Process process{steady("ref-asic", "claude-class-mid",
                         {"workload.steps=1000", "engine.recall=off", "serving.max_batch=64"}) +
                  Arguments{"--pareto", "--jobs", "1", "--json", "--out", scratch / "p"}};
  std::this_thread::sleep_for(std::chrono::milliseconds{5000});
  const Outcome outcome = process.interrupt(SIGINT);
  CAPTURE(outcome.err);
  table_row("run --pareto, SIGINT", outcome);
  CHECK(outcome.code == 130);
  CHECK(contains(outcome.err, "interrupted after "));
  CHECK(contains(outcome.err, " of 7 batches: the table is of those"));
  const json points = json::parse(outcome.out);
  CHECK(contains(outcome.err, "after " + std::to_string(points.size()) + " of 7"));
  CHECK(contents(scratch / "p").size() == 1);
  CHECK(fs::exists(scratch / "p/interrupted/pareto.csv"));
}

TEST_CASE("output faults: Ctrl-C prints the searches that are done") {
  Process process{Arguments{"capacity", "--platform", "ref-asic", "--llm", "claude-class-mid",
                            "--context", "4096,8192,16384,32768,65536,131072", "--tpot-limit",
                            "20ms", "--jobs", "1", "--json"}};
  std::this_thread::sleep_for(std::chrono::milliseconds{1500});
  const Outcome outcome = process.interrupt(SIGTERM);
  CAPTURE(outcome.err);
  table_row("capacity, SIGTERM", outcome);
  CHECK(outcome.code == 130);
  const json result = json::parse(outcome.out);
  const std::size_t done = result["rows"].size() + (result["longest_context"].is_null() ? 0 : 1);
  CHECK(contains(outcome.err, "interrupted after " + std::to_string(done) + " of 7 searches"));
}

TEST_CASE("output faults: Ctrl-C keeps the answers of explain, and it goes on from there") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(
              steady("ref-asic", "claude-class-mid", {"workload.steps=150", "engine.recall=off"}) +
              Arguments{"--out", scratch / "run"})
              .code == 0);
  const Arguments command{"explain", scratch / "run", "--jobs", "1"};
  Process process{command};
  while (!fs::exists(scratch / "run/what-if") || contents(scratch / "run/what-if").empty())
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  const Outcome outcome = process.interrupt(SIGINT);
  CAPTURE(outcome.err);
  table_row("explain, SIGINT", outcome);
  CHECK(outcome.code == 130);
  CHECK(contains(outcome.err, " runs: they are kept, and the same command goes on from here"));
  CHECK_FALSE(fs::exists(scratch / "run/explain.json"));
  const auto kept = contents(scratch / "run/what-if");
  CHECK(contains(outcome.err, "interrupted after " + std::to_string(kept.size()) + " of "));
  check_whole(scratch / "run");
}

TEST_CASE("output faults: Ctrl-C keeps the cells of a comparison, and it goes on from there") {
  const ScratchDirectory scratch;
  const Arguments command =
      Arguments{"compare",    "--platforms", "h100-8,h200-8", "--llm",       "llama-3-8b",
                "--workload", "sample-chat", "--out",         scratch / "c", "--jobs",
                "1",          "--frontier"} +
      sets({"workload.limit=20"});
  Process process{command};
  while (!fs::exists(scratch / "c/cells") || contents(scratch / "c/cells").size() < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  const Outcome outcome = process.interrupt(SIGINT);
  CAPTURE(outcome.err);
  table_row("compare, SIGINT", outcome);
  CHECK(outcome.code == 130);
  CHECK(contains(outcome.err, "interrupted after "));
  CHECK(contains(outcome.err, "goes on from here"));
  const auto kept = contents(scratch / "c/cells");
  CHECK(!fs::exists(scratch / "c/compare.json"));
  check_whole(scratch / "c");
  REQUIRE(run_reticle(command).code == 0);
  for (const auto& [name, text] : kept) CHECK(read_file(scratch / ("c/cells/" + name)) == text);
  check_whole(scratch / "c");
}

TEST_CASE("output faults: Ctrl-C keeps the cells of a validation, and it goes on from there") {
  const ScratchDirectory scratch;
  const Arguments command{"registry", "validate", "B14", "--out", scratch / "v", "--jobs", "1"};
  Process process{command};
  while (!fs::exists(scratch / "v/cells") || contents(scratch / "v/cells").size() < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  const Outcome outcome = process.interrupt(SIGINT);
  CAPTURE(outcome.err);
  table_row("registry validate, SIGINT", outcome);
  CHECK(outcome.code == 130);
  CHECK(contains(outcome.err, "interrupted after "));
  CHECK(contains(outcome.err, "goes on from here"));
  CHECK(!fs::exists(scratch / "v/validation.json"));
  CHECK(contents(scratch / "v/cells").size() >= 2);
  check_whole(scratch / "v");
}
