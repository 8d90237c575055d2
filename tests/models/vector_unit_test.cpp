// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_unit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

Picoseconds cycles(std::int64_t n) { return time_of(Cycles{n}, kVector.clock); }
const Picoseconds kDepth = time_of(kVector.latency, kVector.clock);

TEST_CASE("VectorUnit: an operation takes elements / lanes, rounded up, and the pipeline depth") {
  for (const std::int64_t ops : {std::int64_t{1}, kVector.lanes, kVector.lanes + 1}) {
    VectorUnit dut{sc_core::sc_gen_unique_name("dut"), kVector};
    const VectorTiming t = dut.compute({VectorOp::Elementwise, ops, 0, 0}, 5_ns);
    CHECK(t.started == 5_ns);
    CHECK(t.done == 5_ns + cycles(div_up(ops, kVector.lanes)) + kDepth);
    CHECK(t.tail == kDepth);
  }
}

TEST_CASE("VectorUnit: the next operation follows into the pipeline") {
  VectorUnit dut{"dut", kVector};
  dut.compute({VectorOp::Elementwise, 10 * kVector.lanes, 0, 0}, 0_ps);
  const VectorTiming second = dut.compute({VectorOp::Elementwise, kVector.lanes, 0, 0}, 0_ps);
  CHECK(second.started == cycles(10));
  CHECK(second.done == cycles(11) + kDepth);
  CHECK(dut.stats().busy == cycles(11));
  CHECK(dut.stats().element_ops == 11 * kVector.lanes);
}

TEST_CASE("VectorUnit: no element operations take no time") {
  VectorUnit dut{"dut", kVector};
  CHECK(dut.compute({VectorOp::Softmax, 0, 0, 0}, 3_ns).done == 3_ns);
  CHECK(dut.stats().operations == 0);
}

TEST_CASE("VectorUnit: the table has a row for every operation, in order") {
  for (std::size_t i = 0; i < kVectorOpCount; ++i) {
    CHECK(kVectorOps[i].op == static_cast<VectorOp>(i));
    CHECK(kVectorOps[i].passes >= 1);
    CHECK(kVectorOps[i].passes >= kVectorOps[i].reductions);
  }
}

TEST_CASE("VectorUnit: a row's result climbs a tree over the lanes it lies on") {
  for (const auto& [row, levels] : {std::pair{1, 0}, std::pair{2, 1}, std::pair{100, 7},
                                    std::pair{256, 8}, std::pair{100'000, 8}}) {
    VectorUnit dut{sc_core::sc_gen_unique_name("dut"), kVector};
    const VectorTiming t = dut.compute({VectorOp::Softmax, 10 * row, row, 0}, 0_ps);
    CHECK(t.tail == 3 * kDepth + cycles(2 * levels));
    CHECK(t.done == cycles(div_up(10 * row * 5, kVector.lanes)) + t.tail);
  }
}

/// A reduction done as hardware does: neighbours in pairs, level by level.
std::int64_t levels_of_tree(std::int64_t width) {
  std::int64_t levels = 0;
  for (; width > 1; width = div_up(width, 2)) ++levels;
  return levels;
}

TEST_CASE("VectorUnit: trees are as deep as adding neighbours in pairs takes") {
  for (std::int64_t row = 1; row <= 300; ++row) {
    VectorUnit dut{sc_core::sc_gen_unique_name("dut"), kVector};
    const VectorTiming t = dut.compute({VectorOp::RmsNorm, row, row, 0}, 0_ps);
    CHECK(t.tail == 2 * kDepth + cycles(levels_of_tree(std::min(row, kVector.lanes))));
  }
}

TEST_CASE("VectorUnit: slow transcendentals take the slots of so many plain operations") {
  VectorParams slow = kVector;
  slow.transcendental_lanes = kVector.lanes / 8;
  VectorUnit dut{"dut", slow};
  dut.compute({VectorOp::Softmax, 1000 * kVector.lanes, 1000, 0}, 0_ps);
  CHECK(dut.stats().busy == cycles(1000 * (4 + 8)));
  CHECK(dut.stats().element_ops == 1000 * kVector.lanes * 5);
}

TEST_CASE("VectorUnit: top k looks through a row once for each of k") {
  VectorUnit dut{"dut", kVector};
  const VectorTiming t = dut.compute({VectorOp::TopK, 64 * 256, 256, 8}, 0_ps);
  CHECK(dut.stats().busy == cycles(64 * (5 + 8)));
  CHECK(t.tail == 3 * kDepth + cycles((2 + 8) * 8));
}

}  // namespace
}  // namespace reticle
