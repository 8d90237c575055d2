// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

std::string row(int chat, int parent, double time, const std::string& ids, int blocks) {
  return "{\"chat_id\": " + std::to_string(chat) +
         ", \"parent_chat_id\": " + std::to_string(parent) +
         ", \"timestamp\": " + std::to_string(time) +
         ", \"input_length\": " + std::to_string(16 * blocks - 3) +
         ", \"output_length\": 5, \"type\": \"text\", \"turn\": 1, \"hash_ids\": [" + ids + "]}\n";
}

}  // namespace

TEST_CASE("qwen: seconds, 16-token blocks and lengths") {
  const Trace trace = read_text(row(1, -1, 0.5, "7, 8", 2) + row(2, -1, 3.25, "7", 1));
  CHECK(trace.format == "qwen");
  CHECK(trace.block_tokens == 16);
  REQUIRE(trace.requests.size() == 2);
  CHECK(trace.requests[0].arrival == 500 * 1_ms);
  CHECK(trace.requests[0].input_tokens == 29);
  CHECK(trace.requests[0].prefix_blocks.size() == 2);
}

TEST_CASE("qwen: equal ids of content become equal ids only where all before them is equal") {
  const Trace trace = read_text(row(1, -1, 0, "1, 2, 2, 3", 4) + row(2, -1, 1, "1, 2, 3", 3) +
                                row(3, -1, 2, "9, 2, 2, 3", 4));
  const auto& a = trace.requests[0].prefix_blocks;
  const auto& b = trace.requests[1].prefix_blocks;
  const auto& c = trace.requests[2].prefix_blocks;
  CHECK(a[0] == b[0]);
  CHECK(a[1] == b[1]);
  CHECK(a[3] != b[2]);  // both content 3, behind other texts
  std::set<std::uint64_t> distinct{a.begin(), a.end()};
  CHECK(distinct.size() == 4);  // content 2 twice in a row
  for (const auto id : c) CHECK_FALSE(distinct.contains(id));
}

TEST_CASE("qwen: the turns of a conversation share a session, also where its start is not here") {
  const Trace trace =
      read_text(row(1, -1, 0, "1", 1) + row(2, 1, 1, "1", 1) + row(3, 2, 2, "1", 1) +
                row(8, 7, 3, "1", 1) + row(9, 7, 4, "1", 1) + row(4, -1, 5, "1", 1));
  const auto session = [&](std::size_t i) { return trace.requests[i].session; };
  CHECK(session(0) == session(1));
  CHECK(session(0) == session(2));
  CHECK(session(3) == session(4));
  CHECK(session(3) != session(0));
  CHECK(session(5) != session(0));
}

TEST_CASE("qwen: a malformed row is named with line and column") {
  CHECK(complaint(row(1, -1, 0, "1", 2))
            .find("hash_ids: expected 2 ids (one per 16 input tokens), "
                  "found 1") != std::string::npos);
  CHECK(complaint(row(1, -2, 0, "1", 1)).starts_with("F:1:34: parent_chat_id: "));
  CHECK(complaint(row(1, -1, 0, "\"a\"", 1)).find("hash_ids: expected an id") != std::string::npos);
  CHECK(complaint("{\"parent_chat_id\": 1}\n") == "F:1:1: timestamp: expected a value, found none");
}
