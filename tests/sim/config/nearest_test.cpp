// SPDX-License-Identifier: Apache-2.0
#include "sim/config/nearest.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace reticle {
namespace {
const std::vector<std::string> kKeys{"t_rp", "t_ras", "stacks", "standard"};
}

TEST_CASE("nearest: finds the key a mistyped one was meant to be") {
  CHECK(nearest("t_rpp", kKeys) == "t_rp");
  CHECK(nearest("t_r", kKeys) == "t_rp");
  CHECK(nearest("stakcs", kKeys) == "stacks");
  CHECK(nearest("standart", kKeys) == "standard");
}

TEST_CASE("nearest: stays silent when nothing is near") {
  CHECK(nearest("voltage", kKeys) == std::nullopt);
  CHECK(nearest("x", std::vector<std::string>{}) == std::nullopt);
  CHECK(nearest(std::string(100'000, 'x'), kKeys) == std::nullopt);
  CHECK(did_you_mean("voltage", kKeys).empty());
}
}  // namespace reticle
