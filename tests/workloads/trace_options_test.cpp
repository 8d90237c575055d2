// SPDX-License-Identifier: Apache-2.0
// What is left of a trace under each option, and what a malformed row costs.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/workloads/scratch_file.hpp"
#include "workloads/requests/trace_stream.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

/// Request i arrives after 2 i s with 100 + i input tokens.
std::string rows(int count) {
  std::string text = "{\"reticle_trace\": 1, \"block_tokens\": 64}\n";
  for (int i = 0; i < count; ++i)
    text += "{\"arrival_s\": " + std::to_string(2 * i) +
            ", \"input_tokens\": " + std::to_string(100 + i) +
            ", \"output_tokens\": 50, \"thinking_tokens\": 40, " + "\"prefix_blocks\": [" +
            std::to_string(2 * i) + "," + std::to_string(2 * i + 1) +
            "], \"session\": " + std::to_string(i / 4) + "}\n";
  return text;
}

Trace read_with(const TraceOptions& options, int count = 10) {
  const ScratchFile file{rows(count)};
  return read_trace(file.path(), "", options);
}

std::string inputs(const Trace& trace) {
  std::string text;
  for (const Request& r : trace.requests)
    text.append(text.empty() ? "" : " ").append(std::to_string(r.input_tokens));
  return text;
}

std::string refused(const TraceOptions& options) {
  try {
    read_with(options);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("trace options: a slice in time counts from its start, with its end left out") {
  const Trace trace = read_with({.from = 3'000 * 1_ms, .to = 8'000 * 1_ms});
  CHECK(inputs(trace) == "102 103");
  CHECK(trace.requests[0].arrival == 1'000 * 1_ms);
  CHECK(trace.requests[1].id == RequestId{1});
}

TEST_CASE("trace options: a slice in rows counts time from its first request") {
  const Trace trace = read_with({.skip = 7, .limit = 2});
  CHECK(inputs(trace) == "107 108");
  CHECK(trace.requests[0].arrival == 0_ps);
  CHECK(trace.requests[1].arrival == 2'000 * 1_ms);
}

TEST_CASE("trace options: the rate scales arrivals and nothing else") {
  const Trace trace = read_with({.rate_scale = 4.0});
  CHECK(trace.requests[9].arrival == 4'500 * 1_ms);
  CHECK(trace.requests[9].input_tokens == 109);
}

TEST_CASE("trace options: caps cut prompts with their blocks, and answers with their thinking") {
  const Trace trace = read_with({.max_input = 64, .max_output = 30});
  for (const Request& r : trace.requests) {
    CHECK(r.input_tokens == 64);
    CHECK(r.prefix_blocks.size() == 1);
    CHECK(r.output_tokens == 30);
    CHECK(r.thinking_tokens == 30);
  }
  CHECK(read_with({.max_input = 65}).requests[0].prefix_blocks.size() == 2);
}

TEST_CASE("trace options: a sample keeps its share of sessions, whole, and the seed chooses") {
  const Trace trace = read_with({.sample = 0.25, .seed = 1}, 4'000);
  std::map<std::uint64_t, int> calls;
  for (const Request& r : trace.requests) ++calls[*r.session];
  for (const auto& [session, count] : calls) CHECK(count == 4);
  CHECK(static_cast<double>(calls.size()) == doctest::Approx(250).epsilon(0.15));
  CHECK(inputs(trace) != inputs(read_with({.sample = 0.25, .seed = 2}, 4'000)));
  CHECK(inputs(trace) == inputs(read_with({.sample = 0.25, .seed = 1}, 4'000)));
}

TEST_CASE("trace options: values that make no sense are named") {
  CHECK(refused({.limit = 0}) == "limit: expected at least 1, found 0");
  CHECK(refused({.max_input = 0}).starts_with("max_input: "));
  CHECK(refused({.max_output = -1}).starts_with("max_output: "));
  CHECK(refused({.skip = -1}).starts_with("skip: "));
  CHECK(refused({.from = 5_us, .to = 5_us}).starts_with("to: "));
  CHECK(refused({.sample = 0.0}).starts_with("sample: "));
  CHECK(refused({.rate_scale = 0.0}).starts_with("rate_scale: "));
  CHECK(refused({.skip = 10}).find("requests: expected at least one") != std::string::npos);
}

TEST_CASE("bad rows: skipped and counted where asked for, an error where not") {
  const std::string text =
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 18:15:46,1,1\n"
      "2023-11-16 18:15:46,-1,1\n"
      "2023-11-16 18:15:46,2\n"
      "2023-11-16 18:15:47,3,1\n"
      "2023-11-16 18:15:00,4,1\n"
      "2023-11-16 18:15:48,5,1\n";
  CHECK(complaint(text).starts_with("F:3:21: ContextTokens: "));
  const ScratchFile file{text};
  TraceStream stream{file.path(), "", {.skip_bad_rows = true}};
  std::string kept;
  while (const auto request = stream.next()) kept += std::to_string(request->input_tokens);
  CHECK(kept == "135");
  CHECK(stream.bad_rows() == 3);
  REQUIRE(stream.bad_row_messages().size() == 3);
  CHECK(stream.bad_row_messages()[1].find(":4:22: GeneratedTokens: ") != std::string::npos);
  CHECK(stream.bad_row_messages()[2].find(":6:1: TIMESTAMP: expected a time at most 10 s before") !=
        std::string::npos);
}

TEST_CASE("bad rows: time may run back by ten seconds, which are sorted, and no further") {
  const auto text = [](const std::string& time) {
    return "{\"reticle_trace\": 1}\n"
           "{\"arrival_s\": 20, \"input_tokens\": 1, \"output_tokens\": 1}\n"
           "{\"arrival_s\": " +
           time + ", \"input_tokens\": 2, \"output_tokens\": 1}\n";
  };
  CHECK(inputs(read_text(text("10"))) == "2 1");
  CHECK(complaint(text("9.999999999999")) ==
        "F:3:1: arrival_s: expected a time at most 10 s before the latest row above, found one "
        "10 s before");
}

namespace {

/// Rows of our own format, each so many milliseconds from the start.
std::string rows_at(const std::vector<std::int64_t>& times_ms) {
  std::string text = "{\"reticle_trace\": 1}\n";
  std::int64_t row = 0;
  for (const std::int64_t ms : times_ms) {
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    text += "{\"arrival_s\": " + std::to_string(ms / 1000) + "." + fraction +
            ", \"input_tokens\": " + std::to_string(++row) + ", \"output_tokens\": 1}\n";
  }
  return text;
}

}  // namespace

TEST_CASE("disorder: late rows are put in order, equal arrivals keep the file's") {
  const std::string text = rows_at({5000, 9000, 7000, 7000, 5000, 9000, 8000, 7000, 9000});
  CHECK(inputs(read_text(text)) == "1 5 3 4 8 7 2 6 9");
}

TEST_CASE("disorder: no more than 65,536 rows lie in wait, in whatever order they come") {
  const auto most = static_cast<std::int64_t>(kMostHeld);
  // All at once: nothing to put in order, so all come through as the file has them.
  std::vector<std::int64_t> times(static_cast<std::size_t>(3 * most), 1000);
  const Trace same = read_text(rows_at(times));
  REQUIRE(same.requests.size() == times.size());
  for (std::size_t i = 0; i < times.size(); ++i)
    REQUIRE(same.requests[i].input_tokens == static_cast<std::int64_t>(i) + 1);
  // A late one still finds its place among as many as are held.
  times.assign(static_cast<std::size_t>(most) - 1, 2000);
  times.push_back(1000);
  CHECK(read_text(rows_at(times)).requests.front().input_tokens == most);
  // Behind so many it is refused where it stands.
  times.insert(times.begin(), {2000, 2000});
  CHECK(complaint(rows_at(times)) ==
        "F:" + std::to_string(most + 3) +
            ":1: arrival_s: expected no time before that of a row 65536 rows or 4194304 block ids "
            "above, found an earlier one");
  // The furthest disorder there is: each before the one above. Sorted in no time.
  times.clear();
  for (std::int64_t i = 0; i < most; ++i) times.push_back(20'000 - i * 9'999 / most);
  const Trace falling = read_text(rows_at(times));
  REQUIRE(falling.requests.size() == times.size());
  for (std::size_t i = 1; i < times.size(); ++i)
    REQUIRE(falling.requests[i - 1].arrival <= falling.requests[i].arrival);
}

TEST_CASE("bad rows: a wrong header is never skipped") {
  const ScratchFile file{"TIMESTAMP,GeneratedTokens,ContextTokens\n2023-11-16 18:15:46,1,1\n"};
  CHECK_THROWS_AS(read_trace(file.path(), "", {.skip_bad_rows = true}), ConfigError);
}

TEST_CASE("stream: gives what read_trace gives, with the memory of an old request") {
  const ScratchFile file{rows(100)};
  const Trace trace = read_trace(file.path(), "");
  TraceStream stream{file.path(), ""};
  Request request{.prefix_blocks = std::vector<std::uint64_t>(1000, 7), .adapter = 3};
  for (const Request& expected : trace.requests) {
    REQUIRE(stream.next(request));
    CHECK(request == expected);
  }
  CHECK_FALSE(stream.next(request));
  CHECK(stream.digest() == trace.digest);
}
