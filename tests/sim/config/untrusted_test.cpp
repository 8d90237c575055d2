// SPDX-License-Identifier: Apache-2.0
// Files of strangers: they open nothing that was not given, and cost what they are worth.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim/config/catalogue.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/read_sweep.hpp"
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
