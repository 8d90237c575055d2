// SPDX-License-Identifier: Apache-2.0
// The draw of hbm_agreement_test.cpp, few of each: for every build.
#include <doctest/doctest.h>

#include "tests/reference/hbm_random_traffic.hpp"

namespace reticle {
namespace {

TEST_CASE("HBM transactions agree with commands: a short draw of streams and pages") {
  ValidationCsv csv{"", kHbmCaseColumns};
  CHECK(compare_hbm(hbm_seed(7), 40, false, 0.03, csv).claimed_outside == 0);
}

TEST_CASE("HBM transactions agree with commands: a short draw of mixes") {
  ValidationCsv csv{"", kHbmCaseColumns};
  CHECK(compare_hbm(hbm_seed(7), 40, true, 0.08, csv).claimed_outside == 0);
}

}  // namespace
}  // namespace reticle
