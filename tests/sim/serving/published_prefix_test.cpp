// SPDX-License-Identifier: Apache-2.0
// Published traces through the scheduler with endless room, one request after the other: what its
// prefix cache finds is what a plain set of the ids seen so far finds.
#include <doctest/doctest.h>

#include <filesystem>
#include <unordered_set>

#include "tests/sim/serving/serving_fixture.hpp"
#include "workloads/requests/trace_reader.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

void check(const std::string& file) {
  const std::filesystem::path path =
      std::filesystem::path{RETICLE_SOURCE_DIR "/../shared/traces"} / file;
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: ", path.string(), " is not here");
    return;
  }
  Trace trace = read_trace(path.string(), "");
  Scheduler scheduler{
      {.max_batch = 1, .prefill_tokens = 1 << 24}, room(std::int64_t{1} << 40), trace.block_tokens};
  std::unordered_set<std::uint64_t> seen;
  std::int64_t blocks = 0, hits = 0;
  std::vector<Admitted> admitted;
  for (Request& r : trace.requests) {
    r.output_tokens = 1;
    bool leading = true;
    for (std::int64_t b = 0; b < r.input_tokens / trace.block_tokens; ++b) {
      leading = !seen.insert(r.prefix_blocks[static_cast<std::size_t>(b)]).second && leading;
      hits += leading;
      ++blocks;
    }
    REQUIRE(scheduler.arrive(r));
    scheduler.plan(admitted);
    REQUIRE(scheduler.complete().at(0).finished);
  }
  const PrefixStats& found = scheduler.kv().prefix_stats();
  CHECK(found.blocks == blocks);
  CHECK(found.hit_blocks == hits);
  CHECK(hits > blocks / 4);
  MESSAGE(file, ": ", hits, " of ", blocks, " full blocks");
}

}  // namespace

TEST_CASE("published: Mooncake's prefixes are found, no more and no less") {
  check("prefix/mooncake_conversation_first3500.jsonl");
}
TEST_CASE("published: coding agents' prefixes are found, no more and no less") {
  check("agent/weka_claude_code");
}
