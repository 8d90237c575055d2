// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/provenance.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace reticle;

namespace {

/// Three parts on the critical path, 1 : 2 : 1, and half the prices are by hand.
struct Example {
  RunSpec spec;
  RunResult result;
  EnergyReport energy;

  Example() {
    spend(TimeCategory::WeightsHbm, 10);
    spend(TimeCategory::Launch, 20);
    spend(TimeCategory::Idle, 10);
    result.placement.kv.tier = Tier::Hbm;
    result.steps = 1;
    spec.platform.die.sequencer.step_overhead = Picoseconds{5};
    put("platform.die.hbm.stacks", "5", "datasheet");
    put("platform.die.hbm.data_rate", "5.2 Gb/s", "derived");
    put("platform.die.hbm.timing.t_rp", "16 ns", "estimate");
    put("platform.die.kernels.begin.product", "4 us", "derived");
    put("platform.die.sequencer.step_overhead", "100 us", "estimate");
    put("platform.energy.transport_pj_per_bit", "14.8", "derived");
    put("platform.energy.die_static_w", "116", "recalled");
    energy.components = {{.name = "transport", .joules = 3},
                         {.name = "static_die", .joules = 1, .constant = true},
                         {.name = "far", .joules = 0}};
  }
  void spend(TimeCategory category, std::int64_t picoseconds) {
    result.breakdown[static_cast<std::size_t>(category)] = Picoseconds{picoseconds};
  }
  void put(std::string path, std::string value, std::string confidence) {
    spec.resolved.push_back(
        {std::move(path), std::move(value), "a.yaml:1:1", "s", std::move(confidence)});
  }
  [[nodiscard]] Provenance weighed() const { return provenance(spec, result, energy); }
};

}  // namespace

TEST_CASE("provenance: a part of the time rests on the least trusted constant that sets its rate") {
  const Provenance p = Example{}.weighed();
  CHECK(p.time.size() == 3);
  CHECK(p.time.at("derived") == 0.625);   // stacks and data rate, not t_rp; begins of kernels
  CHECK(p.time.at("estimate") == 0.125);  // one step's overhead
  CHECK(p.time.at("nothing") == 0.25);
}

TEST_CASE("provenance: each energy rests on its price, and what is set by hand is unstated") {
  Example example;
  CHECK(example.weighed().energy.at("derived") == 0.75);
  CHECK(example.weighed().energy.at("recalled") == 0.25);
  example.spec.resolved.back().confidence.clear();
  CHECK(example.weighed().energy.at("unstated") == 0.25);
}

TEST_CASE("provenance: a constant of nought sets nothing") {
  Example example;
  example.put("platform.die.kernels.crossbar_share", "0.8", "claim");
  CHECK(example.weighed().time.at("claim") == 0.25);
  example.spec.resolved.back().value = "0";
  CHECK(example.weighed().time.at("derived") == 0.625);
}

TEST_CASE("provenance: better words do not hide a worse one, whatever their order") {
  constexpr std::array<std::string_view, 3> kWords{"measured", "extrapolated", "datasheet"};
  CHECK(weakest(kWords) == "extrapolated");
  constexpr std::array<std::string_view, 3> kOther{"claim", "estimate", "recalled"};
  CHECK(weakest(kOther) == "claim");
}

TEST_CASE("provenance: a run without time and energy rests on nothing") {
  const Provenance p = provenance({}, {}, {});
  CHECK(p.time.empty());
  CHECK(p.energy.empty());
}
