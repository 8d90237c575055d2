// SPDX-License-Identifier: Apache-2.0
// Routed experts that come into SRAM as they are used: whole runs.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

const Sets kExpertsAlone{"placement.sram_expert_share=1", "workload.steps=12"};

json cached(const std::string& policy, const std::string& fraction, const Sets& more = {}) {
  return steady_report(
      "ref-asic", "claude-class-mid",
      kExpertsAlone +
          Sets{"placement.expert_cache=" + policy, "placement.sram_fraction=" + fraction} + more);
}

std::int64_t weights(const json& r, const std::string& tier) {
  return r["counts"]["loaded_bytes"]["weights_" + tier];
}

}  // namespace

TEST_CASE("expert cache: more SRAM never costs more than 1 % under any policy, and hits more") {
  for (const std::string policy : {"static", "lru", "lfu"}) {
    double best = 0;
    double hits_before = -1;
    for (const std::string fraction : {"0.02", "0.05", "0.1", "0.15"}) {
      CAPTURE(policy);
      CAPTURE(fraction);
      const json r = cached(policy, fraction);
      const double rate = r["throughput"]["output_tokens_per_s"];
      CHECK(rate >= best * 0.99);
      best = std::max(best, rate);
      const double hits = r["experts"]["cache_hit_fraction"];
      CHECK(hits > hits_before);
      hits_before = hits;
    }
  }
}

TEST_CASE(
    "expert cache: whatever the policy, as many bytes of weights are loaded, fills are written") {
  const json fixed = cached("static", "0.1");
  CHECK(fixed["experts"]["fill_bytes"] == 0);
  for (const std::string policy : {"lru", "lfu"}) {
    CAPTURE(policy);
    const json r = cached(policy, "0.1");
    CHECK(weights(r, "sram") + weights(r, "hbm") == weights(fixed, "sram") + weights(fixed, "hbm"));
    CHECK(weights(r, "sram") == r["experts"]["hit_bytes"]);
    const std::int64_t filled = r["experts"]["fill_bytes"];
    CHECK(filled > 0);
    CHECK(r["counts"]["written_bytes"]["sram"] == filled);
  }
}

TEST_CASE("expert cache: prefetching loads beside what it foresees what it does not") {
  const json late = cached("lru", "0.1");
  const json ahead = cached("lru", "0.1", {"placement.expert_prefetch=previous-layer"});
  const json& prefetch = ahead["experts"]["prefetch"];
  CHECK(late["experts"]["prefetch"]["predicted"].is_null());
  CHECK(prefetch["accuracy"] > 0.0);
  CHECK(prefetch["accuracy"] <= 1.0);
  CHECK(prefetch["loaded_ahead"] > 0);
  CHECK(ahead["experts"]["hit_bytes"].get<std::int64_t>() +
            ahead["experts"]["missed_bytes"].get<std::int64_t>() ==
        late["experts"]["hit_bytes"].get<std::int64_t>() +
            late["experts"]["missed_bytes"].get<std::int64_t>());
}

TEST_CASE("expert cache: recalled steps pass through it as simulated ones do") {
  const Arguments trace{"run",
                        "--platform",
                        "ref-asic",
                        "--llm",
                        "claude-class-mid",
                        "--workload",
                        "sample-chat",
                        "--set",
                        "placement.expert_cache=lru",
                        "--set",
                        "engine.max_steps=150"};
  const json exact = report(trace + Arguments{"--exact"});
  const json recalled = report(trace);
  REQUIRE(recalled["recall"]["recalled_steps"] > 0);
  const double a = exact["experts"]["cache_hit_fraction"];
  const double b = recalled["experts"]["cache_hit_fraction"];
  MESSAGE("hit fraction " << a << " exactly, " << b << " with recall");
  CHECK(std::abs(a - b) < 0.01 * a);
}
