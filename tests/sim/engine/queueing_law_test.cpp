// SPDX-License-Identifier: Apache-2.0
// Waiting lines against queueing theory.
#include <algorithm>
#include <cstdio>

#include "sim/base/rng.hpp"
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

/// One request at a time, of one prompt token and one answer token: a server of constant time.
json served(const std::vector<double>& arrivals) {
  const ScratchDirectory scratch;
  std::string text = "{\"reticle_trace\": 1}\n";
  for (const double at : arrivals) {
    char row[96];
    std::snprintf(row, sizeof row,
                  "{\"arrival_s\": %.12f, \"input_tokens\": 1, \"output_tokens\": 1}\n", at);
    text += row;
  }
  write_file(scratch / "t.jsonl", text);
  return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                          scratch / "t.jsonl"} +
                sets({"serving.max_batch=1", "engine.recall=on"}));
}

double mean_sojourn(const json& r) { return r["latency"]["e2e_ms"]["mean"].get<double>() * 1e-3; }

}  // namespace

TEST_CASE("queueing: M/D/1 waits as Pollaczek and Khinchine say, each request as Lindley says") {
  const double service = mean_sojourn(served({0.0}));
  for (const double load : {0.3, 0.5}) {
    CAPTURE(load);
    double ratios = 0;
    constexpr int kSeeds = 4;
    for (int seed = 1; seed <= kSeeds; ++seed) {
      reticle::RngStream rng{static_cast<std::uint64_t>(seed), "poisson"};
      std::vector<double> arrivals;
      double at = 0;
      for (int i = 0; i < 60'000; ++i) arrivals.push_back(at += rng.exponential(service / load));
      const double wait = mean_sojourn(served(arrivals)) - service;
      // Lindley: a request waits for what its predecessor waited and took, less the gap. A step's
      // time moves by some 0.05 % with the refresh it meets.
      double sum = 0, w = 0;
      for (std::size_t i = 1; i < arrivals.size(); ++i) {
        w = std::max(0.0, w + service - (arrivals[i] - arrivals[i - 1]));
        sum += w;
      }
      const double exact = wait / (sum / static_cast<double>(arrivals.size()));
      CHECK(exact > 0.998);
      CHECK(exact < 1.002);
      ratios += wait / (load * service / (2 * (1 - load)));
    }
    MESSAGE("load ", load, ": mean wait / theory ", ratios / kSeeds);
    CHECK(ratios / kSeeds > 0.98);
    CHECK(ratios / kSeeds < 1.02);
  }
}
