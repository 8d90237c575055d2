// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

const std::string kGood =
    R"({"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [0, 1]})"
    "\n";

/// The complaint about one row in line 2.
std::string about(const std::string& row) { return complaint(kGood + row + "\n"); }

}  // namespace

TEST_CASE("mooncake: milliseconds, lengths and 512-token blocks") {
  const Trace trace = read_text(
      kGood +
      R"({"hash_ids":[18446744073709551615],"output_length":7,"input_length":512,"timestamp":3000})"
      "\n");
  CHECK(trace.format == "mooncake");
  CHECK(trace.block_tokens == 512);
  REQUIRE(trace.requests.size() == 2);
  CHECK(trace.requests[0].prefix_blocks == std::vector<std::uint64_t>{0, 1});
  CHECK(trace.requests[1].arrival == 3000 * 1_ms);
  CHECK(trace.requests[1].input_tokens == 512);
  CHECK(trace.requests[1].output_tokens == 7);
  CHECK(trace.requests[1].prefix_blocks == std::vector<std::uint64_t>{~0ULL});
}

TEST_CASE("mooncake: keys of others are let through, whatever they hold") {
  const Trace trace = read_text(
      R"({"timestamp": 1.5, "input_length": 1, "output_length": 1, "hash_ids": [4], )"
      R"("extra": {"a": [1, -2.5e3, "x\"]}", null], "b": {}}, "flag": true, "s": "\u00e9"})"
      "\n");
  CHECK(trace.requests.front().arrival == 1'500_us);
}

TEST_CASE("mooncake: one id per started block, neither fewer nor more") {
  CHECK(about(R"({"timestamp": 0, "input_length": 513, "output_length": 5, "hash_ids": [0]})") ==
        "F:2:71: hash_ids: expected 2 ids (one per 512 input tokens), found 1");
  CHECK(about(R"({"timestamp": 0, "input_length": 512, "output_length": 5, "hash_ids": [0, 1]})")
            .starts_with("F:2:71: hash_ids: "));
  CHECK(about(R"({"timestamp": 0, "input_length": 512, "output_length": 5, "hash_ids": []})")
            .starts_with("F:2:71: hash_ids: "));
}

TEST_CASE("mooncake: an id is a whole number of 64 bits") {
  for (const std::string bad : {"-1", "1.5", "\"7\"", "null", "[1]", "18446744073709551616"}) {
    CAPTURE(bad);
    CHECK(about(R"({"timestamp": 0, "input_length": 9, "output_length": 5, "hash_ids": [)" + bad +
                "]}")
              .starts_with("F:2:70: hash_ids: expected an id from 0 to 2^64 - 1"));
  }
  CHECK(about(R"({"timestamp": 0, "input_length": 9, "output_length": 5, "hash_ids": 7})")
            .starts_with("F:2:69: hash_ids: expected an array of ids"));
}

TEST_CASE("mooncake: a missing or doubled key is named") {
  CHECK(about(R"({"timestamp": 0, "input_length": 9, "hash_ids": [1]})") ==
        "F:2:1: output_length: expected a value, found none");
  CHECK(about("{}").starts_with("F:2:1: timestamp: "));
  CHECK(about(R"({"timestamp": 0, "timestamp": 1})") ==
        "F:2:18: timestamp: expected once, found twice");
}

TEST_CASE("mooncake: a time is milliseconds in range") {
  for (const std::string bad : {"-1", "\"5\"", "null", "1e300", "9223372037", "[0]"}) {
    CAPTURE(bad);
    CHECK(about(R"({"timestamp": )" + bad + R"(, "input_length": 9, "output_length": 5})")
              .starts_with("F:2:15: timestamp: expected milliseconds from 0 to 9223372036"));
  }
}

TEST_CASE("mooncake: a row cut short anywhere is refused") {
  const std::string row = kGood.substr(0, kGood.size() - 1);
  for (std::size_t length = 1; length < row.size(); ++length) {
    CAPTURE(length);
    CHECK(complaint(kGood + row.substr(0, length)).starts_with("F:2:"));
  }
  CHECK(complaint(kGood + row).empty());
  CHECK(complaint(kGood + row.substr(0, 30)) ==
        "F:2:31: row: expected '\"' at the end of a string, found the end of the line");
}

TEST_CASE("mooncake: what is no JSON is refused where it stops being JSON") {
  CHECK(about("hello") == "F:2:1: row: expected '{', found 'h'");
  CHECK(about("[1, 2]").starts_with("F:2:1: row: "));
  CHECK(about("{timestamp: 0}").starts_with("F:2:2: row: expected a name in quotes"));
  CHECK(about(R"({"timestamp" 0})") == "F:2:14: row: expected ':', found '0'");
  CHECK(about(R"({"timestamp": NaN})") == "F:2:15: timestamp: expected a JSON value, found 'NaN'");
  CHECK(about(R"({"timestamp": })").starts_with("F:2:15: timestamp: expected a JSON value"));
  CHECK(about(R"({"timestamp": 0,})").starts_with("F:2:17: row: expected a name in quotes"));
  CHECK(about(R"({"timestamp": 0; "input_length": 1})").starts_with("F:2:"));
  CHECK(about(kGood.substr(0, kGood.size() - 1) + "x") ==
        "F:2:78: row: expected the end of the line, found 'x'");
}

TEST_CASE("mooncake: brackets nested without end do not exhaust the stack") {
  CHECK(about(R"({"deep": )" + std::string(100'000, '['))
            .starts_with("F:2:42: deep: expected at most 32 nested brackets"));
}
