// SPDX-License-Identifier: Apache-2.0
// Caches behind the host link in whole runs: what spilling finds, and when swapping pays.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

json on_asic(const std::string& workload, const Sets& sets) {
  return report(
      Arguments{"run", "--platform", "ref-asic", "--llm", "llama-3-70b", "--workload", workload} +
      reticle::test::sets(Sets{"llm.max_context=200000"} + sets));
}

double seconds_of(const json& report) { return report["simulated_s"]; }

}  // namespace

TEST_CASE("spilling: a small home with the far tier behind it finds what a large home finds") {
  const std::string small = "placement.kv_share=0.02";
  const json lost = on_asic("sample-agent", {small});
  const json spilled = on_asic("sample-agent", {small, "serving.kv_spill=far"});
  const json large = on_asic("sample-agent", {"placement.kv_share=1"});
  const auto hits = [](const json& r) -> std::int64_t {
    return r["residency"]["prefix_hit_blocks"];
  };
  const auto ttft = [](const json& r) -> double { return r["latency"]["ttft_ms"]["mean"]; };
  REQUIRE(lost["residency"]["evicted_blocks"].get<std::int64_t>() > 0);
  REQUIRE(large["residency"]["evicted_blocks"] == 0);
  CHECK(hits(lost) < hits(spilled));
  CHECK(hits(spilled) == hits(large));
  // 48 links of 64 GB/s: a block from behind them is nearly as good as one at home.
  CHECK(ttft(spilled) > ttft(large));
  CHECK(ttft(spilled) < 1.02 * ttft(large));
  CHECK(ttft(lost) > 1.2 * ttft(large));
  // What moved was read and written once each, on every run of the way.
  const json& home = spilled["residency"]["kv_tiers"]["hbm"];
  const json& far = spilled["residency"]["kv_tiers"]["far"];
  CHECK(spilled["counts"]["written_bytes"]["far"] == far["moved_in_bytes"]);
  CHECK(spilled["counts"]["read_bytes"]["far"] == home["moved_in_bytes"]);
  CHECK(spilled["counts"]["loaded_bytes"]["kv_move"].get<std::int64_t>() ==
        far["moved_in_bytes"].get<std::int64_t>() + home["moved_in_bytes"].get<std::int64_t>());
}

TEST_CASE("swapping: it beats computing again over a fast link, and does not over a slow one") {
  const Sets tight{"workload.rate_scale=200", "placement.kv_share=0.004",
                   "serving.admission=on-demand", "serving.prefix_cache=off"};
  const json again = on_asic("sample-chat", tight);
  const json fast = on_asic("sample-chat", tight + Sets{"serving.preemption=swap"});
  const json slow = on_asic("sample-chat", tight + Sets{"serving.preemption=swap",
                                                        "platform.die.far.link.rate=0.1 GB/s"});
  CHECK(again["residency"]["recomputed_tokens"].get<std::int64_t>() > 0);
  CHECK(fast["residency"]["recomputed_tokens"] == 0);
  CHECK(fast["residency"]["swaps"] == fast["residency"]["preemptions"]);
  CHECK(seconds_of(fast) < seconds_of(again));
  CHECK(seconds_of(again) < seconds_of(slow));
  CHECK(slow["time_breakdown"]["kv_move"].get<double>() >
        fast["time_breakdown"]["kv_move"].get<double>());
  CHECK(fast["output_tokens"] == again["output_tokens"]);
}

TEST_CASE("swapping: a platform without a far tier says so") {
  const Outcome outcome = run_reticle(steady("h100-8", "llama-3-70b", {"serving.kv_spill=far"}));
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("serving.kv_spill: expected a platform with a far tier") !=
        std::string::npos);
}
