// SPDX-License-Identifier: Apache-2.0
// Published traces, replayed. The files are not part of this repository (docs/workloads.md).
#include <filesystem>

#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

const std::filesystem::path kFolder = RETICLE_SOURCE_DIR "/../shared/traces";

bool absent() {
  if (std::filesystem::is_directory(kFolder)) return false;
  MESSAGE("SKIPPED: ../shared/traces is not here");
  return true;
}

json replay(const char* platform, const char* llm, const char* trace, const Sets& more) {
  return report(Arguments{"run", "--platform", platform, "--llm", llm, "--workload",
                          (kFolder / trace).string()} +
                sets(more));
}

void check_whole(const json& r) {
  const auto& requests = r["requests"];
  CHECK(requests["finished"].get<std::int64_t>() + requests["rejected"].get<std::int64_t>() ==
        requests["total"].get<std::int64_t>());
  CHECK(r["roofline"]["achieved_fraction"].get<double>() <= 1.0);
  std::int64_t charged = 0;
  for (const auto& part : r["time_ps"]["breakdown"]) charged += part.get<std::int64_t>();
  CHECK(charged == simulated_ps(r));
  CHECK(std::abs(r["recall"]["mean_error"].get<double>()) < 0.02);
  MESSAGE(r["steps"] << " steps in " << r["simulator"]["wall_s"] << " s of wall time, recall error "
                     << r["recall"]["mean_error"] << ", mean TPOT "
                     << r["latency"]["tpot_ms"]["mean"] << " ms");
}

}  // namespace

TEST_CASE("replay: the Azure conversation trace on h100-8 serves every request") {
  if (absent()) return;
  const json r = replay("h100-8", "llama-3-70b", "arrivals/AzureLLMInferenceTrace_conv.csv", {});
  check_whole(r);
  CHECK(r["requests"]["total"] == 19'366);
  CHECK(r["requests"]["rejected"] == 0);
  CHECK(r["output_tokens"].get<std::int64_t>() > 4'000'000);
}

TEST_CASE("replay: the Mooncake conversation trace on h100-8 serves every request") {
  if (absent()) return;
  const json r =
      replay("h100-8", "llama-3-70b", "prefix/mooncake_conversation_first3500.jsonl", {});
  check_whole(r);
  CHECK(r["requests"]["finished"] == 3500);
}

TEST_CASE("replay: coding-agent sessions on h100-8 are served, or refused for what they ask") {
  if (absent()) return;
  const json r = replay("h100-8", "llama-3-70b", "agent/weka_claude_code", {});
  check_whole(r);
  CHECK(r["requests"]["total"] == 860);
  // Prompts beyond the 131,072 tokens that the model attends to, and nothing else.
  CHECK(r["requests"]["rejected"] == 297);
  CHECK(r["requests"]["rejected_for"]["context"] == 297);
}

TEST_CASE("replay: the Azure conversation trace on ref-asic serves every request") {
  if (absent()) return;
  const json r =
      replay("ref-asic", "claude-class-mid", "arrivals/AzureLLMInferenceTrace_conv.csv", {});
  check_whole(r);
  CHECK(r["requests"]["finished"] == 19'366);
}

TEST_CASE("replay: the Mooncake conversation trace on ref-asic serves every request") {
  if (absent()) return;
  const json r =
      replay("ref-asic", "claude-class-mid", "prefix/mooncake_conversation_first3500.jsonl", {});
  check_whole(r);
  CHECK(r["requests"]["finished"] == 3500);
}

TEST_CASE("replay: coding-agent sessions on ref-asic are served, or refused for what they ask") {
  if (absent()) return;
  const json r = replay("ref-asic", "claude-class-mid", "agent/weka_claude_code", {});
  check_whole(r);
  CHECK(r["requests"]["total"] == 860);
  CHECK(r["requests"]["unfinished"] == 0);
  CHECK(r["requests"]["rejected"] == r["requests"]["rejected_for"]["context"]);
}
