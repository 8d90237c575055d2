// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <regex>

#include "tests/cli/process.hpp"

using namespace reticle::test;

TEST_CASE("workload: what is generated can be described and run") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.jsonl";
  const Outcome made = run_reticle({"workload", "generate", "--like", "chat-200", "--requests", "7",
                                    "--seed", "3", "--out", trace});
  CHECK(made.code == 0);
  CHECK(contains(made.out, "7 requests"));
  const Outcome described = run_reticle({"workload", "describe", trace});
  CHECK(described.code == 0);
  CHECK(std::regex_search(described.out, std::regex{R"(requests +7 )"}));
  CHECK(contains(described.out, "reticle"));
  CHECK(run_reticle({"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                     trace + ":reticle"})
            .code == 0);
}

TEST_CASE("workload: the same seed writes the same bytes and another one others") {
  const ScratchDirectory scratch;
  const auto trace = [&](const std::string& seed, const std::string& name) {
    REQUIRE(run_reticle({"workload", "generate", "--requests", "20", "--seed", seed, "--out",
                         scratch / name})
                .code == 0);
    return read_file(scratch / name);
  };
  const std::string a = trace("1", "a");
  CHECK(a == trace("1", "b"));
  CHECK(a != trace("2", "c"));
}

TEST_CASE("workload: an unknown sample or an impossible path ends with 3") {
  const ScratchDirectory scratch;
  const Outcome sample =
      run_reticle({"workload", "generate", "--like", "poetry", "--out", scratch / "t"});
  CHECK(sample.code == 3);
  CHECK(contains(sample.err, "chat-200"));
  const Outcome path = run_reticle({"workload", "generate", "--out", scratch / "no/such/t"});
  CHECK(path.code == 3);
  CHECK(contains(path.err, "no/such/t"));
  const Outcome none =
      run_reticle({"workload", "generate", "--requests", "0", "--out", scratch / "t"});
  CHECK(none.code == 3);
}

TEST_CASE("workload: the figures of a trace are those of its rows") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.jsonl";
  write_file(trace,
             "{\"reticle_trace\": 1}\n"
             "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 1}\n"
             "{\"arrival_s\": 4, \"input_tokens\": 20, \"output_tokens\": 3}\n"
             "{\"arrival_s\": 6, \"input_tokens\": 30, \"output_tokens\": 3}\n"
             "{\"arrival_s\": 8, \"input_tokens\": 60, \"output_tokens\": 5}\n");
  const Outcome outcome = run_reticle({"workload", "describe", trace});
  CAPTURE(outcome.out);
  CHECK(std::regex_search(outcome.out, std::regex{R"(span +8\.0 s)"}));
  CHECK(std::regex_search(outcome.out, std::regex{R"(input +30\.0 +20 +60 +60 +60)"}));
  CHECK(std::regex_search(outcome.out, std::regex{R"(output +3\.0 +3 +5 +5 +5)"}));
}
