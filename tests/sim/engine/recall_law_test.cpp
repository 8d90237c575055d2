// SPDX-License-Identifier: Apache-2.0
// Recalled steps must not change the answer by more than the stated tolerance.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

json chat(const char* recall) {
  return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                          "sample-chat"} +
                sets({"workload.limit=60", std::string{"engine.recall="} + recall}));
}

double error(const json& recalled, const json& simulated, const std::string& path) {
  const json::json_pointer at{path};
  return recalled[at].get<double>() / simulated[at].get<double>() - 1;
}

}  // namespace

TEST_CASE("recall: a chat trace agrees with simulating every step to 2 % and tells its error") {
  const json on = chat("on"), off = chat("off");
  for (const std::string figure : {"/simulated_s", "/latency/tpot_ms/mean", "/latency/tpot_ms/p95",
                                   "/latency/e2e_ms/mean", "/energy/total_j"}) {
    CAPTURE(figure);
    MESSAGE(figure << ": " << error(on, off, figure) * 100 << " %");
    CHECK(std::abs(error(on, off, figure)) < 0.02);
  }
  CHECK(on["output_tokens"] == off["output_tokens"]);
  CHECK(on["prefill_tokens"] == off["prefill_tokens"]);

  // What was simulated, recalled and audited is told.
  const json& r = on["recall"];
  CHECK(r["enabled"] == true);
  CHECK(r["simulated_steps"].get<std::int64_t>() + r["recalled_steps"].get<std::int64_t>() ==
        on["steps"].get<std::int64_t>());
  CHECK(r["recalled_steps"].get<std::int64_t>() > 0);
  CHECK(r["audited_steps"].get<std::int64_t>() > 0);
  MESSAGE("simulated " << r["simulated_steps"] << ", recalled " << r["recalled_steps"]
                       << ", audits " << r["audited_steps"] << ", mean error " << r["mean_error"]
                       << ", mean |error| " << r["mean_abs_error"]);
  CHECK(std::abs(r["mean_error"].get<double>()) <= r["mean_abs_error"].get<double>());
  CHECK(r["mean_abs_error"].get<double>() <= r["max_abs_error"].get<double>());
  CHECK(r["mean_abs_error"].get<double>() < 0.05);
  CHECK(off["recall"]["enabled"] == false);
  CHECK(off["recall"]["mean_error"].is_null());
  CHECK(off["recall"]["simulated_steps"] == off["steps"]);
}
