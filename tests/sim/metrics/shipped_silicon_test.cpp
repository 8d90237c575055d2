// SPDX-License-Identifier: Apache-2.0
// What shipped platforms cost to make, and which claims cannot be made.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "sim/accounts/silicon.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/findings.hpp"

using namespace reticle;

TEST_CASE("configs: what a GPU costs to make is what analysts say, within 15 %") {
  const auto package = [](const char* name) {
    return price_silicon(read_platform(name))->package_usd;
  };
  CHECK(std::abs(package("h100-8") / 3'320 - 1) < 0.15);  // siliconanalysts.com
  CHECK(package("b200-8") > 5'700);                       // Epoch AI: 5,700 to 7,300
  CHECK(package("b200-8") < 7'300);
}

TEST_CASE("configs: claims that silicon contradicts are found") {
  const auto paper = read_platform("ref-asic-paper");
  CHECK(price_silicon(paper)->node_usd > 3 * node_price_usd(paper));
  const auto kinds = [](const char* name) {
    std::vector<FindingKind> found;
    for (const auto& finding : area_findings(read_platform(name).die))
      found.push_back(finding.kind);
    return found;
  };
  CHECK(kinds("ref-asic-paper") == std::vector{FindingKind::DieArea, FindingKind::DieArea});
  CHECK(kinds("sohu") == std::vector{FindingKind::DieArea});
  for (const char* name : {"h100-8", "b200-8", "ref-asic", "groq-lpu", "cerebras-wse3"}) {
    CAPTURE(name);
    CHECK(kinds(name).empty());
  }
}

TEST_CASE("configs: ref-asic's die follows from its SRAM and stays within a reticle") {
  const PlatformSpec p = read_platform("ref-asic");
  CHECK(std::abs(die_area_mm2(p.die) - 842) < 1);
  CHECK(reticles(p.die) < 1);
  const PlatformSpec less = read_platform("ref-asic", {"platform.die.sram.capacity=800MB"});
  CHECK(node_price_usd(less) < node_price_usd(p));
  // Beyond the reticle it is made in two pieces, which yield better than one would.
  const PlatformSpec more = read_platform("ref-asic", {"platform.die.sram.capacity=2GB"});
  CHECK(reticles(more.die) > 1);
  CHECK(price_silicon(more)->pieces == 2);
}
