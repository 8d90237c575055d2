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

}  // namespace
}  // namespace reticle
