// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/figures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/base/error.hpp"
#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
const UnitUse& use_of(const RunFigures& f, std::string_view name) {
  const auto found = std::ranges::find(f.utilisation, name, &UnitUse::name);
  REQUIRE(found != f.utilisation.end());
  return *found;
}
}  // namespace

TEST_CASE("figures: throughput is over the simulated time, idle included") {
  const RunFigures f = figures(example_spec(), example_result());
  CHECK(*f.output_tokens_per_s == doctest::Approx(8 / 0.010));
  CHECK(*f.total_tokens_per_s == doctest::Approx(308 / 0.010));
}

TEST_CASE("figures: the roofline keeps the idle time and names what bounds it most") {
  const RunFigures f = figures(example_spec(), example_result());
  CHECK(*f.roofline.tokens_per_s == doctest::Approx(8 / (0.002 + 0.002)));
  CHECK(*f.roofline.bound_by == RooflineLimit::Hbm);
  CHECK(*f.roofline.achieved == doctest::Approx(2.0 / 8));  // idle time achieves nothing
}

TEST_CASE("figures: utilisation is busy time over units and the busy phase") {
  const RunFigures f = figures(example_spec(), example_result());
  // Memories count per die: the counts hold the mean over a die's banks and channels.
  CHECK(use_of(f, "sram").units == 12);
  CHECK(*use_of(f, "sram").share == doctest::Approx(0.000480 / (12 * 0.008)));
  CHECK(use_of(f, "hbm").units == 12);
  CHECK(*use_of(f, "hbm").share == doctest::Approx(0.0384 / (12 * 0.008)));
  CHECK(*use_of(f, "mac").share == doctest::Approx(0.000300 / (12 * 0.008)));
  // Six packages of two dies: a link each way. Three packages to a switch, in each of two nodes.
  CHECK(use_of(f, "link.package").units == 6 * 2);
  CHECK(use_of(f, "link.node").units == 2 * 3 * 2);
  CHECK(use_of(f, "link.scale_out").units == 2);
  CHECK(*use_of(f, "link.node").share == doctest::Approx(0.000700 / (12 * 0.008)));
}

TEST_CASE("figures: utilisation is unknown where the unit is missing or its time not modelled") {
  RunSpec spec = example_spec();
  RunResult result = example_result();
  result.counts.mac_busy = {};  // worked, but nothing says how long: roofline fidelity
  spec.platform.die.hbm.reset();
  const RunFigures f = figures(spec, result);
  CHECK_FALSE(use_of(f, "far").share);
  CHECK_FALSE(use_of(f, "mac").share);
  CHECK_FALSE(use_of(f, "hbm").share);
  result.counts.mac_busy = Picoseconds{-1};  // the sum left 64 bits
  CHECK_FALSE(use_of(figures(spec, result), "mac").share);
  result.counts.mac_busy = {};
  result.counts.macs = {};
  CHECK(*use_of(figures(spec, result), "mac").share == 0);
}

TEST_CASE("figures: the measured SRAM fraction is of weight bytes only") {
  const RunFigures f = figures(example_spec(), example_result());
  CHECK(*f.sram_fraction_measured == doctest::Approx(5.0 / 20));
  CHECK_FALSE(figures(steady_spec(3), steady_result(3)).sram_fraction_measured);
}

TEST_CASE("figures: limited by the largest part of the breakdown") {
  CHECK(figures(example_spec(), example_result()).limited_by == TimeCategory::WeightsHbm);
}

TEST_CASE("figures: in a steady decode requests neither arrive nor start") {
  const RunFigures f = figures(steady_spec(4), steady_result(4));
  CHECK_FALSE(f.latency.ttft_ms);
  CHECK_FALSE(f.latency.e2e_ms);
  CHECK(f.latency.tpot_ms->mean == doctest::Approx(1.0));
}

TEST_CASE("figures: a single stream sees tokens/s of batch 1, else 1 / mean TPOT") {
  CHECK(*figures(steady_spec(1), steady_result(1)).single_stream_tokens_per_s ==
        doctest::Approx(1000));
  RunSpec pair = steady_spec(4);
  std::get<SteadyDecode>(pair.workload).batch = 2;
  RunResult result = steady_result(4);
  result.output_tokens *= 2;
  CHECK(*figures(pair, result).single_stream_tokens_per_s == doctest::Approx(1000));
  CHECK_FALSE(figures(pair, steady_result(1)).single_stream_tokens_per_s);
  CHECK(*figures(example_spec(), example_result()).single_stream_tokens_per_s ==
        doctest::Approx(1000));
}

TEST_CASE("figures: a run in which nothing happened has no rates") {
  RunResult nothing;
  nothing.placement = example_placement();
  const RunFigures f = figures(example_spec(), nothing);
  CHECK_FALSE(f.output_tokens_per_s);
  CHECK_FALSE(f.energy_per_token_j);
  CHECK_FALSE(f.roofline.tokens_per_s);
  CHECK_FALSE(f.limited_by);
  CHECK_FALSE(f.cost.planned.usd_per_m_tokens);
}

TEST_CASE("figures: time that is charged to nothing breaks an invariant") {
  RunResult result = example_result();
  result.breakdown[0] += 1_ps;
  CHECK_THROWS_AS(figures(example_spec(), result), InvariantError);
}
