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

namespace {

/// A drive per die behind its own link.
const Sets kDrives{"platform.die.flash.capacity=1 TB", "platform.die.flash.device.standard=nvme",
                   "platform.die.flash.device.channels=16",
                   "platform.die.flash.link.standard=pcie5-x4"};

std::int64_t of_tier(const json& report, const std::string& tier, const std::string& key) {
  return report["residency"]["kv_tiers"][tier][key];
}

}  // namespace

TEST_CASE("spilling: what a small far tier has no room for the flash keeps, slower to come home") {
  const Sets small{"placement.kv_share=0.02", "platform.die.far.capacity=0.3 GB"};
  const json lost = on_asic("sample-agent", small + Sets{"serving.kv_spill=far"});
  const json chain = on_asic("sample-agent", small + kDrives + Sets{"serving.kv_spill=flash"});
  const json far = on_asic("sample-agent", {"placement.kv_share=0.02", "serving.kv_spill=far"});
  const auto hits = [](const json& r) -> std::int64_t {
    return r["residency"]["prefix_hit_blocks"];
  };
  const auto ttft = [](const json& r) -> double { return r["latency"]["ttft_ms"]["mean"]; };
  REQUIRE(of_tier(lost, "far", "evicted_blocks") > 0);
  CHECK(hits(lost) < hits(chain));
  CHECK(hits(chain) == hits(far));
  CHECK(ttft(far) < ttft(chain));
  CHECK(ttft(chain) < ttft(lost));

  std::int64_t found = 0, out = 0, in = 0;
  for (const std::string tier : {"hbm", "far", "flash"}) {
    CAPTURE(tier);
    const auto of = [&](const char* key) { return of_tier(chain, tier, key); };
    CHECK(of("freed_bytes") + of("evicted_bytes") + of("resident_bytes") == of("allocated_bytes"));
    CHECK(of("prefix_hit_blocks") > 0);
    found += of("prefix_hit_blocks");
    out += of("moved_out_bytes");
    in += of("moved_in_bytes");
    if (tier == "hbm") continue;
    // All that passes there are moves: counted by its device and by the books.
    CHECK(chain["counts"]["written_bytes"][tier] == of("moved_in_bytes"));
    CHECK(chain["counts"]["read_bytes"][tier] == of("moved_out_bytes"));
  }
  CHECK(found == hits(chain));
  CHECK(in == out);
  CHECK(chain["counts"]["loaded_bytes"]["kv_move"] == out);
  CHECK(chain["energy"]["by_component"]["flash"].get<double>() > 0);
}

TEST_CASE("prefetching: first tokens come sooner where blocks come home before their turn") {
  const auto run = [](const std::string& prefetch) {
    return report(
        Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                  "sample-agent"} +
        sets(Sets{"platform.die.kernels=none", "llm.max_context=200000", "placement.kv_share=0.06",
                  "serving.max_batch=16", "workload.rate_scale=4", "serving.kv_spill=far",
                  "serving.kv_prefetch=" + prefetch, "platform.die.far.capacity=128 GB",
                  "platform.die.far.device.standard=ddr5", "platform.die.far.device.channels=4",
                  "platform.die.far.link.standard=pcie5-x4", "platform.die.far.link.rate=4 GB/s"}));
  };
  const json without = run("false"), with = run("true");
  const auto of = [](const json& r, const char* key) -> std::int64_t {
    return r["residency"][key];
  };
  CHECK(of(without, "prefetched_blocks") == 0);
  CHECK(of(with, "prefetched_blocks") > 50);
  CHECK(of(with, "prefix_hit_blocks") == of(without, "prefix_hit_blocks"));
  for (const char* figure : {"mean", "p50", "p99"}) {
    CAPTURE(figure);
    CHECK(with["latency"]["ttft_ms"][figure].get<double>() <
          without["latency"]["ttft_ms"][figure].get<double>());
  }
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
  const Outcome flash = run_reticle(steady("ref-asic", "llama-3-70b", {"serving.kv_spill=flash"}));
  CHECK(flash.code == 3);
  CHECK(flash.err.find("serving.kv_spill: expected a platform with a flash tier") !=
        std::string::npos);
}
