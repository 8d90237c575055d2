// SPDX-License-Identifier: Apache-2.0
// What binds helps when it is doubled, what does not bind changes nothing; more work takes longer.
#include <cstdlib>

#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

constexpr double kNothing = 0.005;  ///< of the step
/// Routing differs between batches only by which tokens are there; the busiest expert wobbles.
constexpr double kRoutingNoise = 0.02;

double eight(const Sets& sets) {
  return seconds_per_step(steady_report("h100-8", "llama-3-70b", sets + Sets{"workload.steps=2"}));
}

void check_grows(const std::string& platform, const std::string& llm, const char* key,
                 const std::vector<int>& values, double noise, int steps = 2) {
  double before = 0;
  for (const int value : values) {
    const json r = steady_report(platform, llm,
                                 {"workload.steps=" + std::to_string(steps),
                                  std::string{key} + "=" + std::to_string(value)});
    CAPTURE(platform);
    CAPTURE(key);
    CAPTURE(value);
    CHECK(seconds_per_step(r) >= before * (1 - noise));
    before = seconds_per_step(r);
  }
}

}  // namespace

TEST_CASE(
    "bandwidth: twice the stacks make a lone stream of weights faster but not twice as fast") {
  const double one = seconds_per_step(one_die({"workload.steps=2"}));
  const double two = seconds_per_step(one_die({"workload.steps=2", "platform.die.hbm.stacks=10",
                                               "platform.die.hbm.capacity_per_stack=20 GB"}));
  CHECK(one / two > 1.9);  // nothing but HBM binds here
  CHECK(one / two <= 2.0);
  // Launches and collectives of the whole node dilute it.
  const double ratio =
      eight({}) / eight({"platform.die.hbm.stacks=10", "platform.die.hbm.capacity_per_stack=8 GB"});
  CHECK(ratio > 1.2);
  CHECK(ratio < 2.0);
}

TEST_CASE("bandwidth: a faster data rate helps a lone stream") {
  const double ratio =
      seconds_per_step(one_die({"workload.steps=2"})) /
      seconds_per_step(one_die({"workload.steps=2", "platform.die.hbm.data_rate=10.468 Gb/s"}));
  CHECK(ratio > 1.2);  // refresh and row timings in nanoseconds stay
  CHECK(ratio < 2.0);
}

TEST_CASE("bandwidth: links that no message crosses change nothing at all") {
  const json slow = one_die({"workload.steps=2", "platform.fabric.node.rate=450 GB/s"});
  const json fast = one_die({"workload.steps=2", "platform.fabric.node.rate=900 GB/s"});
  CHECK(simulated_ps(slow) == simulated_ps(fast));
}

TEST_CASE("bandwidth: twice the arrays change nothing that weights bind") {
  CHECK(eight({}) == doctest::Approx(eight({"platform.die.mac.arrays=1056"})).epsilon(kNothing));
}

TEST_CASE("bandwidth: twice the arrays help where they bind") {
  const Sets prefill{"workload.batch=4096", "workload.context=16", "serving.max_batch=4096"};
  const double ratio = eight(prefill) / eight(prefill + Sets{"platform.die.mac.arrays=1056"});
  CHECK(ratio > 1.2);
  CHECK(ratio < 2.0);
}

TEST_CASE("bandwidth: host overhead and launches add what they are and nothing more") {
  const std::string key = "platform.die.sequencer.step_overhead=";
  const json none = steady_report("h100-8", "llama-3-70b", {"workload.steps=3", key + "0 us"});
  const json some = steady_report("h100-8", "llama-3-70b", {"workload.steps=3", key + "50 us"});
  // Refresh goes on meanwhile, so steps meet it at other times.
  const double added = static_cast<double>(simulated_ps(some) - simulated_ps(none)) / 3e6;
  CHECK(added == doctest::Approx(50).epsilon(0.02));
}

TEST_CASE("work: more context never makes a step of llama-3-70b on h100-8 faster") {
  check_grows("h100-8", "llama-3-70b", "workload.context", {16, 1024, 4096, 16384, 65536}, 0);
}
TEST_CASE("work: more context never makes a step of claude-class-mid on ref-asic faster") {
  check_grows("ref-asic", "claude-class-mid", "workload.context", {1024, 8192, 65536}, 0.005,
              24);  // the experts of two steps alone move them by 0.8 %
}
TEST_CASE("work: a larger batch never makes a step of llama-3-70b on h100-8 faster") {
  check_grows("h100-8", "llama-3-70b", "workload.batch", {1, 2, 4, 8, 16, 32, 64, 128}, 0);
}
TEST_CASE("work: a larger batch never makes a step of claude-class-mid on ref-asic faster") {
  check_grows("ref-asic", "claude-class-mid", "workload.batch", {1, 4, 16, 64}, kRoutingNoise);
}
TEST_CASE("work: a larger batch yields more tokens per second") {
  double before = 0;
  for (const std::string batch : {"1", "8", "64"}) {
    const json r = steady_report("ref-asic", "claude-class-mid",
                                 {"workload.steps=2", "workload.batch=" + batch});
    CHECK(r["throughput"]["output_tokens_per_s"].get<double>() > before);
    before = r["throughput"]["output_tokens_per_s"];
  }
}

TEST_CASE("time: the host's share grows with the layers and with the streams of a step") {
  const Sets eight{"workload.batch=8", "workload.steps=2"};
  const auto with = [&](const Sets& sets) { return simulated_ps(one_die(eight + sets)); };
  const std::int64_t bare = with({});
  const std::int64_t layers = catalogue_llm("llama-3-70b").layer_count();
  constexpr std::int64_t kSteps = 2, kPicoseconds = 1'000'000;
  // Steps that begin later meet the refreshes of memories elsewhere: a thousandth at most.
  const auto is = [](std::int64_t more, std::int64_t expected) {
    CHECK(std::abs(more - expected) <= expected / 1000);
  };
  is(with({"serving.layer_overhead=3 us"}) - bare, kSteps * layers * 3 * kPicoseconds);
  is(with({"serving.stream_overhead=50 us"}) - bare, kSteps * 8 * 50 * kPicoseconds);
}
