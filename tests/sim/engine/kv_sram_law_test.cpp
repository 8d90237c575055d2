// SPDX-License-Identifier: Apache-2.0
// Keys and values in SRAM and HBM at once, in whole runs.
#include <cmath>

#include "tests/sim/engine/run_fixture.hpp"
#include "workloads/llm/attended.hpp"

using namespace reticle::test;
using namespace reticle;

namespace {

constexpr std::int64_t kSteps = 2;

/// Weights are in HBM, so that SRAM is for keys and values alone.
json decoding(const std::string& llm, std::int64_t batch, std::int64_t context,
              const std::string& share, const Sets& more = {}) {
  return steady_report(
      "ref-asic", llm,
      Sets{"workload.batch=" + std::to_string(batch), "workload.context=" + std::to_string(context),
           "workload.steps=" + std::to_string(kSteps), "placement.sram_fraction=0",
           "placement.kv_sram_share=" + share} +
          more);
}

std::int64_t bytes(const json& report, const std::string& what, const std::string& of) {
  return report["counts"][what][of];
}

double rate(const json& report) { return report["throughput"]["output_tokens_per_s"]; }

}  // namespace

TEST_CASE("SRAM and HBM: what attention reads in SRAM it does not read from HBM, to the byte") {
  constexpr std::int64_t kBatch = 16, kContext = 65'536;
  const json none = decoding("llama-3-70b", kBatch, kContext, "0");
  const json half = decoding("llama-3-70b", kBatch, kContext, "0.1");
  const LlmSpec llm = catalogue_llm("llama-3-70b");
  std::int64_t asked = 0;
  for (std::int64_t step = 0; step < kSteps; ++step)
    asked += kBatch * cache_read_bytes(llm, kContext + step, 1).count();
  for (const json& r : {none, half}) CHECK(bytes(r, "loaded_bytes", "kv") == asked);
  const std::int64_t in_sram =
      bytes(half, "read_bytes", "sram") - bytes(none, "read_bytes", "sram");
  CHECK(in_sram > 0);
  CHECK(bytes(half, "read_bytes", "hbm") == bytes(none, "read_bytes", "hbm") - in_sram);
  CHECK(half["residency"]["kv_hit"]["sram"].get<double>() ==
        doctest::Approx(static_cast<double>(in_sram) / static_cast<double>(asked)));
  CHECK(half["residency"]["kv_hit"]["sram"].get<double>() +
            half["residency"]["kv_hit"]["hbm"].get<double>() ==
        doctest::Approx(1));
  CHECK_FALSE(none["residency"]["kv_tiers"].contains("sram"));
  const json& tier = half["residency"]["kv_tiers"]["sram"];
  CHECK(tier["peak_bytes"] == half["memory"]["tiers"][0]["kv_peak_bytes"]);
}

TEST_CASE("SRAM and HBM: a dense stream gains HBM's time for what is in SRAM, as both go at once") {
  // Where keys and values outweigh all else, HBM never waits. What it takes for a byte, refreshes
  // and rows included, two contexts say that are all in HBM.
  const auto stream = [](std::int64_t context, const std::string& share) {
    return decoding("llama-3-70b", 1, context, share, {"llm.max_context=2000000"});
  };
  const auto hbm_bytes = [](const json& r) {
    return static_cast<double>(bytes(r, "read_bytes", "hbm")) / kSteps;
  };
  const json none = stream(1'000'000, "0"), shorter = stream(600'000, "0");
  const double per_byte =
      (seconds_per_step(none) - seconds_per_step(shorter)) / (hbm_bytes(none) - hbm_bytes(shorter));
  const PlatformSpec p = catalogue_platform("ref-asic");
  const double sram_rate =
      static_cast<double>(dies(p)) * static_cast<double>(peak_bandwidth(p.die.sram).count());
  for (const std::string share : {"0.25", "0.5", "1"}) {
    CAPTURE(share);
    const json some = stream(1'000'000, share);
    const double in_sram = hbm_bytes(none) - hbm_bytes(some);
    REQUIRE(in_sram > 0);
    const double gained = seconds_per_step(none) - seconds_per_step(some);
    const double hidden = gained - in_sram * per_byte;
    MESSAGE(share << ": gained " << gained * 1e6 << " us, HBM's time " << in_sram * per_byte * 1e6
                  << " us, SRAM's " << in_sram / sram_rate * 1e6 << " us");
    // One after the other SRAM's time would be lost.
    CHECK(std::abs(hidden) < 0.2 * in_sram / sram_rate);
  }
}

TEST_CASE("SRAM and HBM: more SRAM for keys and values never lowers the decode rate") {
  for (const std::string llm : {"llama-3-70b", "claude-class-mid"})
    for (const std::int64_t context : {8'192, 65'536}) {
      double before = 0, hit = -1;
      for (const std::string share : {"0", "0.25", "0.5", "0.75", "1"}) {
        CAPTURE(llm);
        CAPTURE(context);
        CAPTURE(share);
        const json r = decoding(llm, 16, context, share);
        const double here = r["residency"]["kv_hit"]["sram"];
        // Where HBM's part is hidden behind the fabric anyway, tiles cut elsewhere are all that
        // changes.
        CHECK(rate(r) >= before * 0.999);
        CHECK(here >= hit);
        before = std::max(before, rate(r));
        hit = here;
      }
    }
}

TEST_CASE(
    "SRAM and HBM: in a trace hits are those of HBM alone, moves are carried out and counted") {
  const auto chat = [](const std::string& share) {
    return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                            "sample-chat"} +
                  sets({"placement.sram_fraction=0", "placement.kv_sram_share=" + share}));
  };
  const json none = chat("0"), all = chat("1");
  CHECK(rate(all) >= rate(none) * 0.999);
  const json& tier = all["residency"]["kv_tiers"]["sram"];
  const json& home = all["residency"]["kv_tiers"]["hbm"];
  CHECK(tier["moved_in_bytes"].get<std::int64_t>() > 0);
  CHECK(tier["moved_in_bytes"] == home["moved_out_bytes"]);
  CHECK(tier["moved_out_bytes"] == home["moved_in_bytes"]);
  CHECK(bytes(all, "loaded_bytes", "kv_move") ==
        tier["moved_in_bytes"].get<std::int64_t>() + tier["moved_out_bytes"].get<std::int64_t>());
  CHECK(tier["allocated_bytes"] == tier["freed_bytes"].get<std::int64_t>() +
                                       tier["evicted_bytes"].get<std::int64_t>() +
                                       tier["resident_bytes"].get<std::int64_t>());
}

TEST_CASE("SRAM and HBM: a share that can have no effect is refused") {
  const auto refused = [](const std::string& platform, const Sets& more) {
    return run_reticle(steady(platform, "llama-3-70b", more));
  };
  // Weights take what they can of SRAM: what is left holds no page of 4096 tokens.
  const Outcome full =
      refused("ref-asic", {"serving.kv_page_tokens=4096", "placement.kv_sram_share=1"});
  CHECK(full.code == 4);
  CHECK(full.err.find("placement.kv_sram_share") != std::string::npos);
  const Outcome without = refused("groq-lpu", {"placement.kv_sram_share=1"});
  CHECK(without.code == 3);
  CHECK(without.err.find("placement.kv_sram_share") != std::string::npos);
  for (const char* bad : {"-0.1", "1.1", "nan"}) {
    CAPTURE(bad);
    CHECK(refused("ref-asic", {std::string{"placement.kv_sram_share="} + bad}).code == 3);
  }
}

TEST_CASE("SRAM and HBM: rooms are of whole prompt blocks, and who fits neither is told why") {
  // A block of llama-3-70b is 168 MB, all SRAM 131: none has room there.
  const Arguments agents{"run",          "--platform", "h100-8",          "--workload",
                         "sample-agent", "--set",      "workload.limit=4"};
  const Sets all{"placement.sram_fraction=0", "placement.kv_sram_share=1"};
  const Outcome refused = run_reticle(agents + Arguments{"--llm", "llama-3-70b"} + sets(all));
  CHECK(refused.code == 4);
  CHECK(refused.err.find("prompt block") != std::string::npos);
  // Windows stay in HBM, so that their prefixes are not shared: the report says so.
  const json r = report(agents + Arguments{"--llm", "gpt-oss-120b"} +
                        sets(all + Sets{"llm.max_context=300000"}));
  bool told = false;
  for (const auto& warning : r["warnings"]) told |= warning["warning"] == "prefixes";
  CHECK(told);
}
