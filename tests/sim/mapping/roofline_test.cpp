// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/roofline.hpp"

#include <doctest/doctest.h>

#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kDies = 4;

/// A second of work for one unit of all dies, in what that unit counts.
struct Bound {
  RooflineLimit limit;
  StepTotals second;
};
std::vector<Bound> bounds(const PlatformSpec& p) {
  const auto per_second = [](BytesPerSecond rate) { return Bytes{kDies * rate.count()}; };
  Bound sram{RooflineLimit::Sram, {}}, hbm{RooflineLimit::Hbm, {}}, far{RooflineLimit::Far, {}};
  Bound mac{RooflineLimit::Mac, {}}, vector{RooflineLimit::Vector, {}};
  sram.second.weights[0] = per_second(peak_bandwidth(p.die.sram));
  hbm.second.kv[1] = per_second(peak_bandwidth(*p.die.hbm));
  far.second.weights[2] = per_second(p.die.far->link.rate);
  mac.second.macs[static_cast<std::size_t>(Precision::Bf16)] =
      kDies * macs_per_cycle(p.die.mac) * p.die.mac.clock.count() / 2;
  vector.second.vector_ops = kDies * p.die.vector.lanes * p.die.vector.clock.count();
  return {sram, hbm, far, mac, vector};
}

PlatformSpec whole_platform() {
  PlatformSpec p = small_platform(kDies);
  p.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Bf16)] = 2;
  LinkedMemoryParams far;
  far.device.rate = 64_GBps;
  far.link.rate = 32_GBps;  // the slower of the two decides
  p.die.far = far;
  return p;
}

}  // namespace

TEST_CASE("roofline: a second of work of any one unit takes a second and is laid to that unit") {
  const PlatformSpec p = whole_platform();
  for (const Bound& bound : bounds(p)) {
    const RooflineStep step = roofline(p, bound.second);
    CAPTURE(name_of(bound.limit));
    CHECK(step.limit == bound.limit);
    CHECK(seconds(step.duration) == doctest::Approx(1.0).epsilon(1e-6));
    CHECK(step.duration <= Picoseconds{kPicosecondsPerSecond});  // a bound, so rounded down
  }
}

TEST_CASE("roofline: units overlap and the slowest decides") {
  const PlatformSpec p = whole_platform();
  StepTotals all;
  for (const Bound& bound : bounds(p)) {
    for (std::size_t t = 0; t < kTierCount; ++t) {
      all.weights[t] += bound.second.weights[t];
      all.kv[t] += bound.second.kv[t];
    }
    for (std::size_t i = 0; i < kPrecisionCount; ++i) all.macs[i] += bound.second.macs[i];
    all.vector_ops += bound.second.vector_ops;
  }
  all.vector_ops *= 3;
  const RooflineStep step = roofline(p, all);
  CHECK(step.limit == RooflineLimit::Vector);
  CHECK(seconds(step.duration) == doctest::Approx(3.0).epsilon(1e-6));
}

TEST_CASE("roofline: weights and KV of one tier share its bandwidth") {
  const PlatformSpec p = whole_platform();
  StepTotals totals;
  totals.weights[1] = totals.kv[1] = Bytes{kDies * peak_bandwidth(*p.die.hbm).count()};
  CHECK(seconds(roofline(p, totals).duration) == doctest::Approx(2.0).epsilon(1e-6));
}

TEST_CASE("totals_of: counts and programs of one step agree") {
  Bench bench{small_platform(2), small_moe(), {.tensor = 2, .expert = 2}};
  const StepPrograms step = bench.lower(decode(3, 40));
  const StepTotals from_programs = totals_of(step);
  EventCounts counts;
  each_instruction(step, [&](std::size_t d, auto, const Instruction& in) {
    if (in.code == OpCode::Load)
      counts.loaded[static_cast<std::size_t>(in.category)] += Bytes{in.amount};
    if (in.code == OpCode::Vector) counts.vector_ops += element_ops(vector_work(in));
    for (auto i = in.shapes_begin; in.code == OpCode::Mac && i < in.shapes_end; ++i) {
      const GemmShape& s = step.dies[d].shapes[static_cast<std::size_t>(i)];
      counts.macs[static_cast<std::size_t>(in.precision)] += s.m * s.k * s.n * s.count;
    }
  });
  const StepTotals from_counts = totals_of(counts, bench.placement.kv);
  CHECK(from_programs.weights == from_counts.weights);
  CHECK(from_programs.kv == from_counts.kv);
  CHECK(from_programs.macs == from_counts.macs);
  CHECK(from_programs.vector_ops == from_counts.vector_ops);
  CHECK(sum(from_programs.macs) > 0);
}
