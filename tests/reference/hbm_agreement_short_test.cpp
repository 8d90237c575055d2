// SPDX-License-Identifier: Apache-2.0
// The draw of hbm_agreement_test.cpp, few of each: for every build.
#include <doctest/doctest.h>

#include "tests/reference/hbm_random_traffic.hpp"

namespace reticle {
namespace {

void check(const HbmDraw& draw) {
  ValidationCsv csv{"", kHbmCaseColumns};
  const HbmAgreement found = compare_hbm(draw, csv);
  CHECK(found.claimed_outside == 0);
  CHECK(found.contended_outside == 0);
}

TEST_CASE("HBM transactions agree with commands: a short draw of streams and pages") {
  check({.seed = hbm_seed(7), .cases = 40, .contended_every = 8});
}

TEST_CASE("HBM transactions agree with commands: a short draw of mixes") {
  check({.seed = hbm_seed(7), .cases = 40, .mixed = true, .contended_every = 8});
}

TEST_CASE("HBM transactions agree with commands: a short draw of long runs beside pages") {
  for (const bool mixed : {false, true})
    check({.seed = hbm_seed(7), .cases = 3, .mixed = mixed, .streams = true});
}

/// Alone, a long run and the refreshes that go through the banks fall into step.
TEST_CASE("HBM transactions agree with commands: long runs alone") {
  for (const HbmParams& preset :
       {hbm2_preset(), hbm2e_preset(), hbm3_preset(), hbm3e_preset(), hbm4_preset()})
    for (const RefreshMode refresh : {RefreshMode::Off, RefreshMode::AllBank, RefreshMode::PerBank})
      for (const double reads : {0.0, 1.0}) {
        HbmParams params = preset;
        params.refresh = refresh;
        HbmTraffic traffic;
        traffic.order = HbmTraffic::Order::Random;
        traffic.chunk = 256 * 1024;
        traffic.depth = 2;
        traffic.read_fraction = reads;
        traffic.warm_up = 4;
        traffic.measured = 24;
        const double commands = HbmTrafficRun{params, traffic}.run().gbps;
        CAPTURE(params.standard);
        CAPTURE(static_cast<int>(refresh));
        CAPTURE(reads);
        CHECK(run_on_transactions(params, traffic).gbps == doctest::Approx(commands).epsilon(0.03));
        params.commands_below = kHbmCommandsBelow;
        CHECK(run_on_transactions<HbmContendedModel>(params, traffic).gbps ==
              doctest::Approx(commands).epsilon(0.03));
      }
}

}  // namespace
}  // namespace reticle
