// SPDX-License-Identifier: Apache-2.0
// A lone stream of a dense model on one unconstrained die does nothing but read its weights: the
// step is their bytes over the bandwidth that the HBM timing leaves.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr double kTolerance = 0.03;

double active_bytes() {
  return static_cast<double>(active_weight_bytes(catalogue_llm("llama-3-70b")).count());
}
HbmParams hbm() { return *catalogue_platform("h100-8").die.hbm; }

/// All banks refresh together: no data from the last column command, t_rtp before the precharge, to
/// the first after the activate.
double refresh_share(const HbmTiming& t) {
  return seconds(t.t_rfc_ab + t.t_rp + t.t_rcd_rd + t.t_rtp) / seconds(t.t_refi);
}

void check_streams(const Sets& sets, double bytes_per_s) {
  const json r = one_die(sets + Sets{"workload.steps=4", "workload.context=1024"});
  const double expected = active_bytes() / bytes_per_s;
  const double error = seconds_per_step(r) / expected - 1;
  MESSAGE("step " << seconds_per_step(r) * 1e3 << " ms, bytes over bandwidth " << expected * 1e3
                  << " ms, error " << error * 100 << " %");
  CHECK(std::abs(error) < kTolerance);
  CHECK(r["limited_by"]["category"] == "weights_hbm");
}

}  // namespace

TEST_CASE("HBM stream: with all-bank refresh a step takes its bytes over the effective bandwidth") {
  const double peak = static_cast<double>(peak_bandwidth(hbm()).count());
  check_streams({}, peak * (1 - refresh_share(hbm().timing)));
}

TEST_CASE("HBM stream: without refresh a step takes its bytes over the peak bandwidth") {
  check_streams({"platform.die.hbm.refresh=off"},
                static_cast<double>(peak_bandwidth(hbm()).count()));
}

TEST_CASE("HBM stream: per-bank refresh lies between all-bank and none") {
  const auto step = [](const char* refresh) {
    return seconds_per_step(one_die({std::string{"platform.die.hbm.refresh="} + refresh}));
  };
  const double all = step("all-bank"), per_bank = step("per-bank"), off = step("off");
  CHECK(per_bank <= all);
  CHECK(per_bank >= off);
}
