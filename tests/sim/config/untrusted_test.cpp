// SPDX-License-Identifier: Apache-2.0
// Files of strangers: they open nothing that was not given, and cost what they are worth.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "sim/config/catalogue.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/config/resolved.hpp"
#include "tests/sim/config/config_fixture.hpp"

using namespace reticle;
using reticle::test::message_of;
namespace fs = std::filesystem;

namespace {
/// Two folders side by side, the first holding what was given; gone with the object.
class Folders {
 public:
  Folders() {
    fs::create_directories(given());
    fs::create_directories(other());
    write(other() / "t.jsonl", "{}\n");
  }
  ~Folders() { fs::remove_all(root_); }
  Folders(const Folders&) = delete;
  Folders& operator=(const Folders&) = delete;
  [[nodiscard]] fs::path given() const { return root_ / "given"; }
  [[nodiscard]] fs::path other() const { return root_ / "other"; }
  static void write(const fs::path& file, const std::string& text) {
    std::ofstream{file, std::ios::binary} << text;
  }
  /// What is said of a workload file in the given folder that names `path`.
  [[nodiscard]] std::string workload(const std::string& path) const {
    write(given() / "w.yaml", "kind: trace\npath: " + path + "\n");
    return message_of([&] { (void)read_workload((given() / "w.yaml").string()); });
  }

 private:
  fs::path root_ = fs::temp_directory_path() / ("reticle_untrusted_" + std::to_string(::getpid()));
};

/// The working directory while it lives.
class WorkingIn {
 public:
  explicit WorkingIn(const fs::path& folder) { fs::current_path(folder); }
  ~WorkingIn() { fs::current_path(before_); }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;

 private:
  const fs::path before_ = fs::current_path();
};

bool refused(const std::string& message) {
  return message.find("is not below this file's folder") != std::string::npos;
}

std::string nested(int levels) {
  return "a: " + std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']') + "\n";
}
}  // namespace

TEST_CASE("untrusted: what a file names lies in a folder that was given") {
  const Folders folders;
  CHECK(folders.workload("t.jsonl") == "no error");  // beside it; opened when it runs
  CHECK(folders.workload("sub/../t.jsonl") == "no error");
  CHECK(folders.workload("../given/t.jsonl") == "no error");
  CHECK(refused(folders.workload("../other/t.jsonl")));
  CHECK(refused(folders.workload((folders.other() / "t.jsonl").string())));
  CHECK(refused(folders.workload("/etc/passwd")));
  CHECK(folders.workload("/etc/passwd").find("w.yaml:2:7: workload.path: ") != std::string::npos);
}

TEST_CASE("untrusted: a link is followed before it is judged") {
  const Folders folders;
  fs::create_symlink(folders.other() / "t.jsonl", folders.given() / "link.jsonl");
  fs::create_symlink(folders.other(), folders.given() / "folder");
  fs::create_symlink(folders.given() / "round", folders.given() / "round");
  CHECK(refused(folders.workload("link.jsonl")));
  CHECK(refused(folders.workload("folder/t.jsonl")));
  CHECK(refused(folders.workload("round")));
}

TEST_CASE("untrusted: RETICLE_PATH gives further folders, the command line needs none") {
  const Folders folders;
  ::setenv("RETICLE_PATH", ("/nowhere:" + folders.other().string()).c_str(), 1);
  CHECK(folders.workload("../other/t.jsonl") == "no error");
  ::unsetenv("RETICLE_PATH");
  CHECK(refused(folders.workload("../other/t.jsonl")));
  CHECK(
      std::holds_alternative<TraceWorkload>(read_workload((folders.other() / "t.jsonl").string())));
  CHECK(message_of([&] {
          (void)read_workload((folders.given() / "w.yaml").string(), {"workload.path=/etc/passwd"});
        }) != "no error");  // of the file: what it names is judged as it stands there
}

TEST_CASE(
    "untrusted: a trace of the command line is the one here, not the catalogue's of that name") {
  const Folders folders;
  const fs::path before = fs::current_path();
  const fs::path mine = folders.other() / "workloads/samples/chat-200.jsonl";
  fs::create_directories(mine.parent_path());
  Folders::write(mine, "");
  fs::current_path(folders.other());
  const auto path_of = [](const std::string& argument) {
    return fs::weakly_canonical(std::get<TraceWorkload>(read_workload(argument)).path);
  };
  CHECK(path_of("workloads/samples/chat-200.jsonl") == fs::weakly_canonical(mine));
  CHECK(path_of("./workloads/samples/chat-200.jsonl") == fs::weakly_canonical(mine));
  CHECK(path_of("sample-chat") != fs::weakly_canonical(mine));  // the catalogue's own names its own
  fs::current_path(before);
}

TEST_CASE("untrusted: tables, drafts, sweeps and what they set name no other path either") {
  const Folders folders;
  const fs::path platform = folders.given() / "p.yaml";
  Folders::write(platform,
                 "die: {hbm: {standard: " + (folders.other() / "h.yaml").string() + "}}\n");
  CHECK(refused(message_of([&] { (void)read_platform(platform.string()); })));
  const std::string llm = (folders.given() / "l.yaml").string();
  const auto recording = [&](const std::string& path) {
    Folders::write(llm, "vocabulary: 1\nmoe: {routing: {recording: " + path + "}}\n");
    return message_of([&] { (void)read_llm(llm); });
  };
  CHECK(refused(recording("/etc/passwd")));
  CHECK(refused(recording((folders.other() / "t.jsonl").string())));
  CHECK(!refused(recording((folders.given() / "t.jsonl").string())));
  const std::string sweep =
      "sweep: s\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
      "axes: [{key: workload.batch, values: [1]}]\n";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = sweep;
    return message_of(
        [&] { (void)parse_sweep(text.replace(text.find(from), from.size(), to), "s.yaml"); });
  };
  CHECK(with("h100-8", "h100-8") == "no error");
  CHECK(refused(with("platform: h100-8", "platform: /etc/p.yaml")));
  CHECK(refused(with("workload: steady-decode", "workload: /etc/passwd")));
  CHECK(refused(with("axes:", "set: [workload.path=/etc/passwd]\naxes:")));
  CHECK(refused(with("axes:", "set: [llm.moe.routing.recording=/etc/passwd]\naxes:")));
  CHECK(with("axes:", "set: [workload.note=a/b]\naxes:").find("not below") == std::string::npos);
  CHECK(refused(with("key: workload.batch, values: [1]", "key: llm, values: [/etc/l.yaml]")));
}

TEST_CASE(
    "untrusted: a sweep or an experiment opens no trace by a plain name that leads elsewhere") {
  const Folders folders;
  fs::create_symlink(folders.other() / "t.jsonl", folders.given() / "evil.jsonl");
  Folders::write(folders.given() / "t.jsonl", "{}\n");
  const WorkingIn there{folders.given()};
  const auto sweep = [](const std::string& workload, const std::string& rest) {
    return message_of([&] {
      (void)parse_sweep(
          "sweep: s\nrun: {platform: h100-8, llm: llama-3-8b, workload: " + workload + "}\n" + rest,
          "s.yaml");
    });
  };
  const std::string axes = "axes: [{key: workload.batch, values: [1]}]\n";
  CHECK(sweep("steady-decode", axes) == "no error");
  CHECK(sweep("t.jsonl", axes) == "no error");
  CHECK(sweep("\"t.jsonl:reticle\"", axes) == "no error");
  for (const std::string evil : {"evil.jsonl", "\"evil.jsonl:reticle\"", "\"..\"", "/etc/passwd"}) {
    CAPTURE(evil);
    CHECK(refused(sweep(evil, axes)));
    CHECK(refused(
        sweep("steady-decode", "axes: [{key: workload, values: [steady-64, " + evil + "]}]\n")));
  }
  for (const std::string evil : {"evil.jsonl", "\"..\"", "/etc/passwd"}) {
    CAPTURE(evil);
    CHECK(refused(
        sweep("t.jsonl", "axes: [{key: workload.path, values: [t.jsonl, " + evil + "]}]\n")));
    CHECK(refused(sweep("t.jsonl",
                        "set: [workload.path=" + (evil == "\"..\"" ? ".." : evil) + "]\n" + axes)));
  }
  // Numbers and their units are no names of files.
  for (const std::string& numbers :
       {std::string{
            "axes: [{key: workload.path, range: {from: 1, to: 2, steps: 2, unit: d/evil}}]\n"},
        axes + "derived: [{key: workload.path, equals: workload.batch, unit: d/evil}]\n"})
    CHECK(sweep("t.jsonl", numbers).find("workload.path names a file, no number") !=
          std::string::npos);
}

TEST_CASE("untrusted: a name is judged as it is opened, here as in the catalogue") {
  const Folders folders;
  const WorkingIn there{folders.given()};
  Folders::write(folders.other() / "p.yaml", "secret\n");
  fs::create_directories(folders.given() / "configs/platforms");
  fs::create_symlink(folders.other() / "p.yaml", folders.given() / "configs/platforms/h100-8.yaml");
  CHECK(refused(message_of([] {
    (void)parse_sweep(
        "sweep: s\nrun: {platform: configs/platforms/h100-8.yaml, llm: llama-3-8b, workload: "
        "steady-decode}\naxes: [{key: workload.batch, values: [1]}]\n",
        "s.yaml");
  })));
}

TEST_CASE("untrusted: of a folder its sessions are judged, and pipes are not opened") {
  const Folders folders;
  fs::create_directory(folders.given() / "agents");
  Folders::write(folders.given() / "agents/a.json", "{}\n");
  CHECK(folders.workload("agents") == "no error");
  fs::create_symlink(folders.other() / "t.jsonl", folders.given() / "agents/b.json");
  CHECK(refused(folders.workload("agents")));
  REQUIRE(::mkfifo((folders.given() / "pipe").c_str(), 0600) == 0);
  CHECK(folders.workload("pipe").find("is neither a file nor a folder") != std::string::npos);
}

TEST_CASE("untrusted: a resolved run opens no more than other files do") {
  const Folders folders;
  const std::string mine = (folders.other() / "t.jsonl").string();
  std::ostringstream text;
  write_resolved(text,
                 read_run({.platform = "h100-8",
                           .llm = "llama-3-8b",
                           .workload = mine,
                           .serving = std::nullopt,
                           .sets = {},
                           .seed = std::nullopt,
                           .fidelity = std::nullopt,
                           .resolved = std::nullopt}),
                 {"1", "2"});
  const fs::path resolved = folders.given() / "resolved.yaml";
  Folders::write(resolved, text.str());
  const auto again = [&](const std::vector<std::string>& sets = {}) {
    RunRequest request;
    request.resolved = resolved.string();
    request.sets = sets;
    return message_of([&] { (void)read_run(request); });
  };
  CHECK(refused(again()));
  CHECK(again().find("name its folder in RETICLE_PATH") != std::string::npos);
  CHECK(refused(message_of([&] { (void)check_file(resolved.string()); })));
  CHECK(again({"workload.path=" + mine}) == "no error");
  ::setenv("RETICLE_PATH", folders.other().c_str(), 1);
  CHECK(again() == "no error");
  ::unsetenv("RETICLE_PATH");
  {
    const WorkingIn there{folders.other()};
    CHECK(again() == "no error");
  }
  Folders::write(folders.given() / "t.jsonl", "{}\n");  // beside the file that names it
  std::string beside = text.str();
  for (auto at = beside.find(mine); at != std::string::npos; at = beside.find(mine))
    beside.replace(at, mine.size(), (folders.given() / "t.jsonl").string());
  Folders::write(resolved, beside);
  CHECK(again() == "no error");
}

TEST_CASE("untrusted: an alias bomb is refused at its first alias") {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'z'; ++c) {
    const std::string before = "*" + std::string(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + std::string(1, c) + " [" + before + ", " + before + "]\n";
  }
  CHECK(message_of([&] { (void)check_text(bomb, "b.yaml"); }) ==
        "b.yaml:1:4: anchors are not allowed");
  CHECK(message_of([] { (void)check_text("a: *b\n", "b.yaml"); }).find("b.yaml:1:4: ") == 0);
}

TEST_CASE("untrusted: neither depth nor length of a file is without bound") {
  CHECK(message_of([] {
          (void)check_text(nested(65), "d.yaml");
        }).find("nested deeper than 64 levels") != std::string::npos);
  CHECK(message_of([] { (void)check_text(nested(100'000), "d.yaml"); }) ==
        "d.yaml:1:1028: more than 1024 brackets left open");
  std::string wide = "a:\n";
  for (int i = 0; i < 2000; ++i) wide += "  - 1\n";
  CHECK(message_of([&] {
          (void)check_text(wide, "w.yaml");
        }).find("more than 1024 entries in one place") != std::string::npos);
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += "k" + std::to_string(i) + ": [";
    for (int k = 0; k < 1000; ++k) many += "1,";
    many += "1]\n";
  }
  CHECK(message_of([&] {
          (void)check_text(many, "m.yaml");
        }).find("more than 100000 entries in the file") != std::string::npos);
  CHECK(message_of([] { (void)check_text(std::string(5 << 20, ' '), "l.yaml"); }) ==
        "l.yaml: larger than 4 MiB");
}

TEST_CASE("untrusted: a sweep asks for no more points than memory holds") {
  const auto sweep = [](const std::string& axes, const std::string& rest = "") {
    return message_of([&] {
      (void)parse_sweep(
          "sweep: s\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\naxes:\n" +
              axes + rest,
          "s.yaml");
    });
  };
  CHECK(sweep("  - {key: workload.batch, range: {from: 1, to: 1000000000, steps: 1000000000}}\n")
            .find("must be between 2 and 1000, got 1000000000") != std::string::npos);
  std::string axes;
  for (int i = 0; i < 7; ++i)
    axes += "  - {key: a.k" + std::to_string(i) + ", range: {from: 1, to: 9, steps: 1000}}\n";
  CHECK(sweep(axes).find("the grid has more than 1000000 points") != std::string::npos);
  CHECK(sweep("  - {key: a.b, values: [1]}\n", "design: {kind: sobol, points: 1000000000}\n")
            .find("must be between 2 and 1000000") != std::string::npos);
}
