// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

const std::string kSession =
    R"({"id": "a", "models": ["m"], "block_size": 64, "hash_id_scope": "local", "requests": [)"
    "\n"
    R"({"t": 0.0, "type": "s", "in": 130, "out": 5, "hash_ids": [1, 2], "think_time": 0.0},)"
    "\n"
    R"({"t": 10.5, "type": "subagent", "agent_id": "x", "requests": [)"
    R"({"t": 0.0, "type": "n", "in": 64, "out": 3, "hash_ids": [9]},)"
    R"({"t": 7.0, "type": "n", "in": 65, "out": 3, "hash_ids": [9], "think_time": null}]},)"
    "\n"
    R"({"t": 15, "type": "n", "in": 200, "out": 0, "think_time": 4.0},)"
    "\n"
    R"({"t": 20, "type": "n", "in": 200, "out": 7, "hash_ids": [1, 2, 3], "think_time": 2.5}]})"
    "\n";

struct ScratchFolder {
  ScratchFolder() { std::filesystem::create_directory(path); }
  ~ScratchFolder() { std::filesystem::remove_all(path); }
  void add(const std::string& name, const std::string& text) const {
    std::ofstream{path / name, std::ios::binary} << text;
  }
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("reticle-folder-" + std::to_string(::getpid()));
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

}  // namespace

TEST_CASE("coding agent: requests in order of time, those of sub-agents counted from its start") {
  const Trace trace = read_text(kSession);
  CHECK(trace.format == "coding-agent");
  CHECK(trace.block_tokens == 64);
  CHECK(trace.skipped == 1);
  REQUIRE(trace.requests.size() == 4);
  CHECK(trace.requests[1].arrival == 10'500 * 1_ms);
  CHECK(trace.requests[2].arrival == 17'500 * 1_ms);
  CHECK(trace.requests[3].arrival == 20'000 * 1_ms);
  CHECK(trace.requests[1].depth == 1);
  CHECK(trace.requests[3].depth == 0);
  CHECK(trace.requests[3].pause == 2'500 * 1_ms);
  CHECK_FALSE(trace.requests[2].pause.has_value());
  for (const Request& r : trace.requests) CHECK(r.session == trace.requests[0].session);
  CHECK(trace.requests[0].prefix_blocks[1] == trace.requests[3].prefix_blocks[1]);
}

TEST_CASE(
    "coding agent: the files of a folder are sessions, and their ids have nothing in common") {
  const ScratchFolder folder;
  folder.add("b.json", kSession);
  folder.add("a.json", replaced(kSession, "\"in\": 130", "\"in\": 129"));
  folder.add("notes.txt", "not a session");
  const Trace trace = read_trace(folder.path.string(), "");
  CHECK(trace.requests.size() == 8);
  CHECK(trace.requests[0].input_tokens == 129);  // of two at once the one of a.json
  CHECK(trace.requests[0].session == 0);
  CHECK(trace.skipped == 2);
  CHECK(trace.requests[0].session != trace.requests[1].session);
  CHECK(trace.requests[0].prefix_blocks.front() != trace.requests[1].prefix_blocks.front());
  folder.add("c.json", replaced(kSession, "\"block_size\": 64", "\"block_size\": 32"));
  CHECK_THROWS_AS(read_trace(folder.path.string(), ""), ConfigError);
}

TEST_CASE("coding agent: an empty folder and an empty file are named") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH_AS(
      read_trace(folder.path.string(), ""),
      (folder.path.string() + ": expected a folder with sessions (*.json, *.json.gz), found none")
          .c_str(),
      ConfigError);
  CHECK(complaint("", "coding-agent").starts_with("F: requests: expected at least one"));
}

TEST_CASE("coding agent: a malformed request is named with its line and column") {
  CHECK(complaint(replaced(kSession, "\"in\": 200, \"out\": 7", "\"in\": -2, \"out\": 7")) ==
        "F:5:30: in: expected a whole number of tokens from 0 to 1000000000, found '-2'");
  CHECK(complaint(replaced(kSession, "[1, 2, 3]", "[1, \"x\", 3]")) ==
        "F:5:61: hash_ids: expected an id from 0 to 2^64 - 1, found '\"x\"'");
  CHECK(complaint(replaced(kSession, "[1, 2, 3]", "[1, 2, 3, 4, 5]")).starts_with("F:5:57: "));
  CHECK(complaint(replaced(kSession, "\"t\": 20", "\"t\": 1"))
            .starts_with("F:5:7: t: expected a time"));
  CHECK(complaint(replaced(kSession, "\"local\"", "\"global\"")).starts_with("F:1:"));
  CHECK(complaint(replaced(kSession, "64", "0")).find("block_size") != std::string::npos);
}

TEST_CASE("coding agent: a session cut short anywhere is refused") {
  const std::string text = kSession.substr(0, kSession.size() - 1);
  for (std::size_t length = 90; length < text.size(); length += 3) {
    CAPTURE(length);
    CHECK(complaint(text.substr(0, length), "coding-agent").starts_with("F:"));
  }
}
