// SPDX-License-Identifier: Apache-2.0
// Our own format: what is written is what is read.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "sim/base/rng.hpp"
#include "tests/workloads/scratch_file.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

const std::string kHeader = "{\"reticle_trace\": 1, \"block_tokens\": 64}\n";

/// The complaint about one row in line 2.
std::string about(const std::string& row) { return complaint(kHeader + row + "\n"); }

Trace two_requests() {
  Trace trace;
  trace.block_tokens = 64;
  trace.requests = {{.id = RequestId{0}, .arrival = 1_ps, .input_tokens = 64, .output_tokens = 2},
                    {.id = RequestId{1},
                     .arrival = Picoseconds{9'000'000'000'000'000'007},
                     .input_tokens = 130,
                     .output_tokens = 1'000'000'000,
                     .prefix_blocks = {0, ~0ULL}}};
  return trace;
}

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("reticle trace: reading gives back what was written, to the picosecond") {
  const Trace written = two_requests();
  const ScratchFile file;
  write_reticle_trace(written, file.path(), "a \"note\" \\ with\na line end");
  const Trace read = read_trace(file.path(), "");
  CHECK(read.format == "reticle");
  CHECK(read.block_tokens == written.block_tokens);
  CHECK(read.digest == fnv1a64(text_of(file.path())));
  REQUIRE(read.requests.size() == written.requests.size());
  for (std::size_t i = 0; i < read.requests.size(); ++i) {
    CHECK(read.requests[i].id == written.requests[i].id);
    CHECK(read.requests[i].arrival == written.requests[i].arrival);
    CHECK(read.requests[i].input_tokens == written.requests[i].input_tokens);
    CHECK(read.requests[i].output_tokens == written.requests[i].output_tokens);
    CHECK(read.requests[i].prefix_blocks == written.requests[i].prefix_blocks);
  }
}

TEST_CASE("reticle trace: the text is one object a line, without digits that say nothing") {
  const ScratchFile file;
  Trace trace = two_requests();
  trace.requests[1].arrival = 2'500 * 1_ms;
  write_reticle_trace(trace, file.path(), "n");
  CHECK(text_of(file.path()) ==
        "{\"reticle_trace\": 1, \"block_tokens\": 64, \"note\": \"n\"}\n"
        "{\"arrival_s\": 0.000000000001, \"input_tokens\": 64, \"output_tokens\": 2}\n"
        "{\"arrival_s\": 2.5, \"input_tokens\": 130, \"output_tokens\": 1000000000, "
        "\"prefix_blocks\": [0,18446744073709551615]}\n");
}

TEST_CASE("reticle trace: a place that cannot be written is the user's error") {
  CHECK_THROWS_AS(write_reticle_trace(two_requests(), "/nowhere/at/all.jsonl", ""), ConfigError);
}

TEST_CASE("reticle trace: blocks may be left out, or cover whole blocks only") {
  CHECK(about(R"({"arrival_s": 0, "input_tokens": 130, "output_tokens": 1})").empty());
  CHECK(
      about(R"({"arrival_s": 0, "input_tokens": 130, "output_tokens": 1, "prefix_blocks": [1,2]})")
          .empty());
  CHECK(
      about(
          R"({"arrival_s": 0, "input_tokens": 64, "output_tokens": 1, "prefix_blocks": [1,2]})") ==
      "F:2:75: prefix_blocks: expected at most 1 ids (one per 64 input tokens), found 2");
}

TEST_CASE("reticle trace: an unknown key is an error in our own format") {
  CHECK(about(R"({"arrival_s": 0, "input_tokens": 1, "output_tokens": 1, "user": 3})")
            .starts_with("F:2:65: 'user': expected one of arrival_s, input_tokens"));
  CHECK(complaint("{\"reticle_trace\": 1, \"blocks\": 3}\n").starts_with("F:1:32: 'blocks': "));
}

TEST_CASE("reticle trace: another version of the format is refused, not guessed") {
  CHECK(complaint("{\"reticle_trace\": 2}\n") ==
        "F:1:19: reticle_trace: expected version 1, found '2'");
}

TEST_CASE("reticle trace: a time is seconds in range") {
  for (const std::string bad : {"-1", "-0.5", "\"5\"", "1e7", "9223373", "null"}) {
    CAPTURE(bad);
    CHECK(about(R"({"arrival_s": )" + bad + R"(, "input_tokens": 1, "output_tokens": 1})")
              .starts_with("F:2:15: arrival_s: expected seconds from 0 to 9223372"));
  }
}

TEST_CASE("reticle trace: a header alone holds no request") {
  CHECK(complaint(kHeader).starts_with("F: requests: expected at least one, found none"));
}
