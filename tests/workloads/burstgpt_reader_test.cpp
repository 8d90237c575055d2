// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

const std::string kHeader =
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";

/// The complaint about one row in line 2.
std::string about(const std::string& row) { return complaint(kHeader + row + "\n"); }

}  // namespace

TEST_CASE("burstgpt: seconds count from the first row, failed requests are skipped and counted") {
  const Trace trace = read_text(kHeader +
                                "5,ChatGPT,10,18,28,Conversation log\n"
                                "6,ChatGPT,0,0,0,Conversation log\n"
                                "45.25,GPT-4,30,2,32,API log\n"
                                "46,GPT-4,30,0,30,API log\n");
  CHECK(trace.format == "burstgpt");
  CHECK(trace.skipped == 2);
  REQUIRE(trace.requests.size() == 2);
  CHECK(trace.requests[0].arrival == 0_ps);
  CHECK(trace.requests[1].arrival == 40'250 * 1_ms);
  CHECK(trace.requests[1].input_tokens == 30);
  CHECK(trace.requests[1].output_tokens == 2);
  CHECK_FALSE(trace.requests[1].session.has_value());
}

TEST_CASE("burstgpt: the columns of release 2, in any order, keep conversations together") {
  const Trace trace = read_text(
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log "
      "Type\n"
      "1,c-7,2,ChatGPT,1,2,3,Conversation log\n"
      "2,c-8,2,ChatGPT,1,2,3,Conversation log\n"
      "3,c-7,2,ChatGPT,1,2,3,Conversation log\n"
      "4,,2,ChatGPT,1,2,3,API log\n");
  REQUIRE(trace.requests.size() == 4);
  CHECK(trace.requests[0].session.has_value());
  CHECK(trace.requests[0].session == trace.requests[2].session);
  CHECK(trace.requests[0].session != trace.requests[1].session);
  CHECK_FALSE(trace.requests[3].session.has_value());
}

TEST_CASE("burstgpt: the last day of its 121 is within range, for time counts from the first row") {
  const Trace trace = read_text(kHeader + "10368000,m,1,1,2,x\n10454399,m,1,1,2,x\n");
  CHECK(trace.requests[1].arrival == 86'399 * 1000 * 1_ms);
}

TEST_CASE("burstgpt: a missing, unknown or doubled column is named") {
  CHECK(complaint("Timestamp,Model,Request tokens\n1,m,1\n") ==
        "F:1:1: header: expected a column 'Response tokens', found none");
  CHECK(complaint("Timestamp,Modell\n") ==
        "F:1:11: header: expected a column of BurstGPT, found 'Modell'");
  CHECK(
      complaint("Timestamp,Timestamp\n").starts_with("F:1:11: header: expected each column once"));
}

TEST_CASE("burstgpt: a malformed row is named with line and column") {
  CHECK(about("5,m,1,2").starts_with("F:2:8: Total tokens: expected a value"));
  CHECK(about("5,m,1,2,3,x,y").starts_with("F:2:13: row: expected 6 columns"));
  CHECK(about("-5,m,1,2,3,x").starts_with("F:2:1: Timestamp: expected seconds"));
  CHECK(about("5,m,-1,2,1,x").starts_with("F:2:5: Request tokens: "));
  CHECK(about("5,m,1,2e9,3,x").starts_with("F:2:7: Response tokens: "));
  CHECK(about("5,m,1,2,4,x") ==
        "F:2:9: Total tokens: expected the sum of request and response tokens, found '4'");
}
