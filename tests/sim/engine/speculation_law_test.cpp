// SPDX-License-Identifier: Apache-2.0
// Drafts and their verification, against the closed form where weights are all that takes time.
#include <cmath>

#include "sim/serving/speculation.hpp"
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

Sets drafting(const std::string& draft, int tokens, double acceptance) {
  return {"serving.speculation.draft=" + draft,
          "serving.speculation.tokens=" + std::to_string(tokens),
          "serving.speculation.acceptance=" + std::to_string(acceptance)};
}

/// [Leviathan+ 2023, eq. 1]: accepted drafts and the model's own token.
double expected_tokens(double a, int k) { return (1 - std::pow(a, k + 1)) / (1 - a); }

}  // namespace

TEST_CASE("speculation: where weights are all that takes time it gains what Leviathan says") {
  const Sets sizes{"workload.batch=2", "workload.context=200", "workload.steps=5000",
                   "engine.recall=on"};
  const json plain = one_die(sizes);
  const json draft = steady_report("h100-8", "llama-3.2-1b", kOneDie + sizes);
  for (const int k : {2, 4}) {
    CAPTURE(k);
    const json r = one_die(sizes + drafting("llama-3.2-1b", k, 0.8));
    const double tokens = r["speculation"]["tokens_per_verification"];
    CHECK(tokens / expected_tokens(0.8, k) > 0.98);
    CHECK(tokens / expected_tokens(0.8, k) < 1.02);
    const double gain = r["throughput"]["output_tokens_per_s"].get<double>() /
                        plain["throughput"]["output_tokens_per_s"].get<double>();
    const double theory =
        expected_tokens(0.8, k) / (1 + k * seconds_per_step(draft) / seconds_per_step(plain));
    MESSAGE(k, " drafts: gain ", gain, ", theory ", theory);
    CHECK(gain / theory > 0.98);
    CHECK(gain / theory < 1.02);
    CHECK(r["output_tokens"] == 2 * 5000);
  }
}

TEST_CASE(
    "speculation: drafts that are never right cost what they take, those always right save most") {
  const Sets sizes{"workload.context=500", "workload.steps=60"};
  const auto plain = simulated_ps(one_die(sizes));
  std::int64_t before = 2 * plain;
  for (const double a : {0.0, 0.5, 1.0}) {
    const auto with = simulated_ps(one_die(sizes + drafting("llama-3.2-1b", 4, a)));
    CHECK(with < before);
    before = with;
    if (a == 0.0) CHECK(with > plain);
    if (a == 1.0) CHECK(with < plain / 3);
  }
}

TEST_CASE("speculation: its gain is gone where products, not weights, take the time") {
  const auto gain = [](int batch) {
    const Sets sizes{"workload.batch=" + std::to_string(batch), "workload.context=64",
                     "workload.steps=24", "serving.max_batch=2048"};
    const json with = one_die(sizes + drafting("llama-3.2-1b", 4, 0.7));
    return with["throughput"]["output_tokens_per_s"].get<double>() /
           one_die(sizes)["throughput"]["output_tokens_per_s"].get<double>();
  };
  const double alone = gain(1), crowd = gain(768);
  MESSAGE("gain of one stream ", alone, ", of 768 streams ", crowd);
  CHECK(alone > 1.8);
  CHECK(crowd < 1.0);
}

TEST_CASE("speculation: a head of the model drafts without weights and tables of its own") {
  const Sets sizes{"workload.context=500", "workload.steps=40"};
  const json plain = steady_report("ref-asic", "deepseek-v3", sizes);
  const json r = steady_report("ref-asic", "deepseek-v3", sizes + drafting("mtp", 1, 0.85));
  CHECK(r["throughput"]["output_tokens_per_s"].get<double>() >
        1.2 * plain["throughput"]["output_tokens_per_s"].get<double>());
  const Outcome none = run_reticle(steady("h100-8", "llama-3-70b", drafting("mtp", 1, 0.8)));
  CHECK(none.code == 3);
  CHECK(none.err.find("multi-token-prediction heads") != std::string::npos);
}

TEST_CASE("speculation: what is accepted depends on the seed, the request and the place alone") {
  reticle::SpeculationSpec spec{.tokens = 4, .acceptance = {0.9, 0.5}, .seed = 7};
  using reticle::RequestId;
  std::array<std::int64_t, 5> count{};
  for (std::uint64_t id = 0; id < 100; ++id)
    for (std::int64_t at = 0; at < 1000; ++at) {
      const std::int64_t n = accepted_drafts(spec, RequestId{id}, at, 4);
      CHECK_MESSAGE(n == accepted_drafts(spec, RequestId{id}, at, 4), "pure");
      CHECK_MESSAGE(std::min<std::int64_t>(n, 2) == accepted_drafts(spec, RequestId{id}, at, 2),
                    "a shorter proposal is a part of the longer one");
      ++count[static_cast<std::size_t>(n)];
    }
  // 0.1, then 0.9 x 0.5, x 0.5 ...: within four standard errors of 100,000 draws.
  const std::array<double, 5> law{0.1, 0.45, 0.225, 0.1125, 0.1125};
  for (std::size_t i = 0; i < law.size(); ++i)
    CHECK(std::abs(static_cast<double>(count[i]) / 1e5 - law[i]) <
          4 * std::sqrt(law[i] * (1 - law[i]) / 1e5));
}

TEST_CASE("speculation: published lengths that fall are refused, and no draft is none at all") {
  const auto with = [](const Sets& sets) {
    return run_reticle(steady("h100-8", "llama-3-70b", Sets{"workload.steps=2"} + sets));
  };
  const Sets draft{"serving.speculation.draft=llama-3.2-1b"};
  const Outcome falls = with(draft + Sets{"serving.speculation.acceptance_lengths=[1.9, 1.5]"});
  CHECK(falls.code == 3);
  CHECK(falls.err.find("acceptance_lengths") != std::string::npos);
  CHECK(with(draft + Sets{"serving.speculation.acceptance_lengths=[1.9, 1.9]"}).code == 0);
  const json bare = steady_report("h100-8", "llama-3-70b", {"workload.steps=2"});
  const json none = steady_report("h100-8", "llama-3-70b",
                                  {"workload.steps=2", "serving.speculation.draft=none"});
  CHECK(simulated_ps(bare) == simulated_ps(none));
  const Outcome limit = with({"serving.ttft_limit=0 s"});
  CHECK(limit.code == 3);
}
