// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_unit.hpp"

#include <doctest/doctest.h>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

Picoseconds cycles(std::int64_t n) { return time_of(Cycles{n}, kVector.clock); }
const Picoseconds kDepth = time_of(kVector.latency, kVector.clock);

TEST_CASE("VectorUnit: an operation takes elements / lanes, rounded up, and the pipeline depth") {
  for (const std::int64_t ops : {std::int64_t{1}, kVector.lanes, kVector.lanes + 1}) {
    VectorUnit dut{sc_core::sc_gen_unique_name("dut"), kVector};
    const VectorTiming t = dut.compute(ops, 5_ns);
    CHECK(t.started == 5_ns);
    CHECK(t.done == 5_ns + cycles(div_up(ops, kVector.lanes)) + kDepth);
    CHECK(t.tail == kDepth);
  }
}

TEST_CASE("VectorUnit: the next operation follows into the pipeline") {
  VectorUnit dut{"dut", kVector};
  dut.compute(10 * kVector.lanes, 0_ps);
  const VectorTiming second = dut.compute(kVector.lanes, 0_ps);
  CHECK(second.started == cycles(10));
  CHECK(second.done == cycles(11) + kDepth);
  CHECK(dut.stats().busy == cycles(11));
  CHECK(dut.stats().element_ops == 11 * kVector.lanes);
}

TEST_CASE("VectorUnit: no element operations take no time") {
  VectorUnit dut{"dut", kVector};
  CHECK(dut.compute(0, 3_ns).done == 3_ns);
  CHECK(dut.stats().operations == 0);
}

}  // namespace
}  // namespace reticle
