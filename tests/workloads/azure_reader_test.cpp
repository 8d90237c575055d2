// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

const std::string kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

/// The complaint about one row in line 2.
std::string about(const std::string& row) { return complaint(kHeader + row + "\n"); }

}  // namespace

TEST_CASE("azure: arrivals count from the first row, to the 100 ns of the file") {
  const Trace trace = read_text(kHeader +
                                "2023-11-16 18:15:46.6805900,374,44\n"
                                "2023-11-16 18:15:46.6805901,1,2\n"
                                "2023-11-17 00:00:00.0000000,396,109\n");
  CHECK(trace.format == "azure");
  CHECK(trace.block_tokens == 0);
  REQUIRE(trace.requests.size() == 3);
  CHECK(trace.requests[0].arrival == 0_ps);
  CHECK(trace.requests[0].input_tokens == 374);
  CHECK(trace.requests[0].output_tokens == 44);
  CHECK(trace.requests[1].arrival == 100_ns);
  const std::int64_t seconds_left = 5 * 3600 + 44 * 60 + 14;
  CHECK(trace.requests[2].arrival == 1000 * seconds_left * 1_ms - 680'590'000_ns);
  CHECK(trace.requests[2].prefix_blocks.empty());
}

TEST_CASE("azure: days and leap years are those of the calendar") {
  const Trace trace = read_text(kHeader +
                                "2024-02-28 23:59:59,1,1\n"
                                "2024-03-01 00:00:00,1,1\n");
  CHECK(trace.requests[1].arrival == 1000 * 1_ms * (86'400 + 1));
  CHECK(about("2023-02-29 00:00:00,1,1").starts_with("F:2:1: TIMESTAMP: "));
}

TEST_CASE("azure: the form of the 2024 traces, with a zone and six digits, is read too") {
  const Trace trace = read_text(kHeader +
                                "2024-05-10 00:00:00+00:00,1,1\n"
                                "2024-05-10 00:00:00.009930+00:00,1,1\n");
  CHECK(trace.requests[1].arrival == 9'930_us);
}

TEST_CASE("azure: line ends of either kind, a missing last one and blank lines change nothing") {
  const std::string lf = kHeader + "2023-11-16 18:15:46,374,44\n2023-11-16 18:15:47,5,6";
  std::string crlf;
  for (const char c : lf) crlf.append(c == '\n' ? "\r\n" : std::string(1, c));
  for (const auto& text : {lf, crlf, lf + "\n", lf + "\n\n  \n"}) {
    const Trace trace = read_text(text);
    REQUIRE(trace.requests.size() == 2);
    CHECK(trace.requests[1].input_tokens == 5);
    CHECK(trace.requests[1].output_tokens == 6);
  }
}

TEST_CASE("azure: rows out of order are sorted, ids follow, ties keep the file's order") {
  const Trace trace = read_text(kHeader +
                                "2023-11-16 18:15:46,1,1\n"
                                "2023-11-16 18:15:48,2,1\n"
                                "2023-11-16 18:15:45,3,1\n"
                                "2023-11-16 18:15:46,4,1\n");
  std::string order;
  for (const Request& r : trace.requests) order += std::to_string(r.input_tokens);
  CHECK(order == "3142");
  CHECK(trace.requests.front().arrival == 0_ps);
  CHECK(trace.requests.back().arrival == 3000 * 1_ms);
  for (std::size_t i = 0; i < 4; ++i) CHECK(trace.requests[i].id == RequestId{i});
}

TEST_CASE("azure: rows without tokens are skipped and counted") {
  const Trace trace = read_text(kHeader +
                                "2023-11-16 18:15:46,0,5\n"
                                "2023-11-16 18:15:47,5,0\n"
                                "2023-11-16 18:15:48,5,5\n");
  CHECK(trace.skipped == 2);
  CHECK(trace.requests.size() == 1);
  CHECK(complaint(kHeader + "2023-11-16 18:15:46,0,5\n") ==
        "F: requests: expected at least one, found none (rows without tokens: 1)");
}

TEST_CASE("azure: missing and extra columns are named") {
  CHECK(about("2023-11-16 18:15:46") ==
        "F:2:20: ContextTokens: expected a value, found the end of the line");
  CHECK(about("2023-11-16 18:15:46,374").starts_with("F:2:24: GeneratedTokens: "));
  CHECK(about("2023-11-16 18:15:46,374,44,9") ==
        "F:2:28: row: expected 3 columns, found another '9'");
  CHECK(about("2023-11-16 18:15:46,374,44,").starts_with("F:2:28: row: "));
  CHECK(complaint("TIMESTAMP,ContextTokens\n1,2\n", "azure").starts_with("F:1:1: header: "));
  CHECK(complaint("TIMESTAMP,GeneratedTokens,ContextTokens\n").starts_with("F:1:1: header: "));
}

TEST_CASE("azure: a token count is a whole number in range, or is named with its column") {
  for (const std::string bad :
       {"", "-3", "+3", "3.5", "nan", "NaN", "inf", "1e3", "0x10", " 3", "3 ", "1000000001",
        "9223372036854775808", "99999999999999999999999999"}) {
    CAPTURE(bad);
    CHECK(about("2023-11-16 18:15:46," + bad + ",44").starts_with("F:2:21: ContextTokens: "));
    CHECK(about("2023-11-16 18:15:46,4," + bad).starts_with("F:2:23: GeneratedTokens: "));
  }
  CHECK(about("2023-11-16 18:15:46,-3,44") ==
        "F:2:21: ContextTokens: expected a whole number of tokens from 0 to 1000000000, "
        "found '-3'");
  CHECK(about("2023-11-16 18:15:46,1000000000,44").empty());
}

TEST_CASE("azure: a timestamp is a UTC time, or is named") {
  for (const std::string bad :
       {"", "2023-11-16", "2023-11-16 18:15", "2023-11-16T18:15:46", "2023-13-16 18:15:46",
        "2023-11-31 18:15:46", "2023-11-16 24:15:46", "2023-11-16 18:60:46", "2023-11-16 18:15:60",
        "2023-11-16 18:15:46.", "2023-11-16 18:15:46.12x", "2023-11-16 18:15:46.0123456789",
        "2023-11-16 18:15:46+02:00", "-023-11-16 18:15:46", "1969-12-31 23:59:59",
        "2262-01-01 00:00:00", "1700158546", "nan"}) {
    CAPTURE(bad);
    CHECK(about(bad + ",374,44").starts_with("F:2:1: TIMESTAMP: expected a UTC time such as"));
  }
}

TEST_CASE("azure: a time too far from the first row does not overflow, it is named") {
  CHECK(complaint(kHeader + "2023-01-01 00:00:00,1,1\n2023-12-01 00:00:00,1,1\n")
            .starts_with("F:3:1: TIMESTAMP: expected a time within 53 days of the first row"));
  CHECK(complaint(kHeader + "2261-01-01 00:00:00,1,1\n1970-01-01 00:00:00,1,1\n")
            .starts_with("F:3:1: TIMESTAMP: "));
}
