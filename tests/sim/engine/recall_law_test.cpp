// SPDX-License-Identifier: Apache-2.0
// Recalled steps must not change the answer by more than the stated tolerance.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

json chat(const Arguments& more) {
  return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                          "sample-chat"} +
                sets({"workload.limit=60"}) + more);
}

double error(const json& recalled, const json& simulated, const std::string& path) {
  const json::json_pointer at{path};
  return recalled[at].get<double>() / simulated[at].get<double>() - 1;
}

}  // namespace

TEST_CASE("recall: a chat trace agrees with simulating every step and tells its error") {
  const json on = chat({}), off = chat({"--exact"});
  // What a step is off by moves who prefills together, so single latencies by more than sums.
  const std::vector<std::pair<std::string, double>> bounds{
      {"/simulated_s", 0.001},          {"/energy/total_j", 0.005},
      {"/latency/tpot_ms/mean", 0.005}, {"/latency/tpot_ms/p99", 0.01},
      {"/latency/e2e_ms/mean", 0.005},  {"/time_ps/breakdown/kv", 0.01},
      {"/counts/hbm_activates", 0.01},  {"/counts/vector_ops", 0.01},
      {"/counts/staged_bytes", 0.005}};
  for (const auto& [figure, bound] : bounds) {
    CAPTURE(figure);
    MESSAGE(figure << ": " << error(on, off, figure) * 100 << " %");
    CHECK(std::abs(error(on, off, figure)) < bound);
  }
  CHECK(on["output_tokens"] == off["output_tokens"]);
  CHECK(on["prefill_tokens"] == off["prefill_tokens"]);

  const json& r = on["recall"];
  CHECK(r["enabled"] == true);
  CHECK(r["simulated_steps"].get<std::int64_t>() + r["recalled_steps"].get<std::int64_t>() ==
        on["steps"].get<std::int64_t>());
  CHECK(10 * r["simulated_steps"].get<std::int64_t>() < on["steps"].get<std::int64_t>());
  CHECK(r["decode_steps"]["audited_steps"].get<std::int64_t>() > 0);
  CHECK(r["decode_steps"]["audited_steps"].get<std::int64_t>() +
            r["prefill_steps"]["audited_steps"].get<std::int64_t>() ==
        r["audited_steps"].get<std::int64_t>());
  CHECK(std::abs(r["mean_error"].get<double>()) <= r["mean_abs_error"].get<double>());
  CHECK(r["mean_abs_error"].get<double>() <= r["max_abs_error"].get<double>());
  CHECK(std::abs(r["mean_error"].get<double>()) + 2 * r["standard_error"].get<double>() < 0.01);
  CHECK(off["recall"]["enabled"] == false);
  CHECK(off["recall"]["mean_error"].is_null());
  CHECK(off["recall"]["simulated_steps"] == off["steps"]);
}

TEST_CASE("recall: with it a run repeats to the byte") {
  json first = chat({}), again = chat({});
  first.erase("simulator");
  again.erase("simulator");
  CHECK(first == again);
}
