// SPDX-License-Identifier: Apache-2.0
#include "models/mac/mac_array.hpp"
#include "models/mac/gemm_cycles.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sim/base/error.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

const MacParams kArray = mac_array();
const std::int64_t kFill = kArray.rows + kArray.cols - 2;
constexpr auto kFp8 = static_cast<std::size_t>(Precision::Fp8);

Picoseconds cycles(std::int64_t n) { return time_of(Cycles{n}, kArray.clock); }

std::int64_t pass_cycles(const MacParams& params, std::int64_t m, Precision precision) {
  return tiling_of(params, {m, params.rows, params.cols, 1}, precision).pass;
}

MacTiming compute(MacArray& dut, const std::vector<GemmShape>& shapes,
                  Precision precision = Precision::Fp8, Picoseconds at = {}) {
  return dut.compute(shapes, precision, at);
}

TEST_CASE("MacArray: one tile takes max(m, rows) cycles, the fill and the drain") {
  for (const std::int64_t m : {std::int64_t{1}, kArray.rows - 1, kArray.rows, 3 * kArray.rows}) {
    MacArray dut{sc_core::sc_gen_unique_name("dut"), kArray};
    const MacTiming t = compute(dut, {{m, kArray.rows, kArray.cols, 1}});
    CHECK(t.started == 0_ps);
    CHECK(t.done == cycles(std::max(m, kArray.rows) + kFill));
    CHECK(t.tail == t.done);  // one tile: nothing is left of it before its weights have come
  }
}

TEST_CASE("MacArray: equal tiles run in whole waves over the arrays") {
  const std::int64_t m = 2 * kArray.rows;
  for (std::int64_t tiles = 1; tiles <= 3 * kArray.arrays; ++tiles) {
    MacArray dut{sc_core::sc_gen_unique_name("dut"), kArray};
    const MacTiming t = compute(dut, {{m, kArray.rows, tiles * kArray.cols, 1}});
    CHECK(t.done == cycles(div_up(tiles, kArray.arrays) * m + kFill));
  }
}

TEST_CASE("MacArray: a partial tile costs a whole one") {
  MacArray whole{"whole", kArray};
  MacArray partial{"partial", kArray};
  CHECK(compute(whole, {{64, 2 * kArray.rows, 2 * kArray.cols, 1}}).done ==
        compute(partial, {{64, kArray.rows + 1, kArray.cols + 1, 1}}).done);
}

TEST_CASE("MacArray: without double buffering every pass adds the load of its weights") {
  MacParams params = kArray;
  params.double_buffered_weights = false;
  for (const std::int64_t m : {std::int64_t{1}, params.rows, 2 * params.rows}) {
    CHECK(pass_cycles(params, m, Precision::Fp8) == m + params.rows);
    CHECK(pass_cycles(kArray, m, Precision::Fp8) == std::max(m, params.rows));
  }
  MacArray dut{"dut", params};
  const std::int64_t waves = 5;
  CHECK(compute(dut, {{64, params.rows, waves * params.arrays * params.cols, 1}}).done ==
        cycles(waves * (64 + params.rows) + kFill));
}

TEST_CASE("MacArray: a format at half the rate takes twice the cycles of the stream") {
  MacArray native{"native", kArray};
  MacArray slow{"slow", kArray};
  const GemmShape shape{256, 4 * kArray.rows, 4 * kArray.cols, 1};
  const std::int64_t stream = 16 / kArray.arrays * 256;
  CHECK(compute(native, {shape}, Precision::Fp8).done == cycles(stream + kFill));
  CHECK(compute(slow, {shape}, Precision::Bf16).done == cycles(2 * stream + kFill));
  // Decode at m = 1: the weight load hides the slower format.
  CHECK(pass_cycles(kArray, 1, Precision::Bf16) == pass_cycles(kArray, 1, Precision::Fp8));
}

TEST_CASE("MacArray: an unsupported format is a mistake of ours") {
  MacArray dut{"dut", kArray};
  CHECK_THROWS_AS(compute(dut, {{1, 1, 1, 1}}, Precision::Fp32), InvariantError);
}

TEST_CASE("MacArray: multiply-accumulates are counted exactly, by precision") {
  MacArray dut{"dut", kArray};
  compute(dut, {{3, 1000, 77, 5}, {1, 128, 128, 1}, {0, 5, 5, 1}});
  compute(dut, {{7, 11, 13, 2}}, Precision::Bf16);
  CHECK(dut.stats().macs[kFp8] == 3 * 1000 * 77 * 5 + 128 * 128);
  CHECK(dut.stats().macs[static_cast<std::size_t>(Precision::Bf16)] == 7 * 11 * 13 * 2);
  CHECK(dut.stats().operations == 2);
}

TEST_CASE("MacArray: utilisation is m / rows below m = rows and full from there on") {
  const std::int64_t waves = 1000;
  for (const std::int64_t m : {std::int64_t{1}, kArray.rows / 2, kArray.rows, 4 * kArray.rows}) {
    MacArray dut{sc_core::sc_gen_unique_name("dut"), kArray};
    compute(dut, {{m, kArray.rows, waves * kArray.arrays * kArray.cols, 1}});
    const std::int64_t slots =
        dut.stats().busy.count() / cycles(1).count() * macs_per_cycle(kArray);
    CHECK(dut.stats().macs[kFp8] * std::max(m, kArray.rows) == slots * m);
  }
}

TEST_CASE("MacArray: grouped shapes share the waves") {
  // Experts with 1, 64 and 200 rows: total tile-cycles over the arrays, in whole shortest passes.
  const std::vector<GemmShape> shapes{{1, kArray.rows, 3 * kArray.cols, 1},
                                      {64, kArray.rows, kArray.cols, 5},
                                      {200, kArray.rows, kArray.cols, 2}};
  MacArray dut{"dut", kArray};
  const std::int64_t shortest = kArray.rows;
  const std::int64_t work = 3 * kArray.rows + 5 * kArray.rows + 2 * 200;
  const std::int64_t waves = div_up(div_up(work, kArray.arrays), shortest);
  CHECK(compute(dut, shapes).done == cycles(waves * shortest + kFill));
}

TEST_CASE("MacArray: a group never ends before its longest pass nor before its work is spread") {
  for (std::int64_t m = 1; m <= 4096; m *= 3) {
    MacArray dut{sc_core::sc_gen_unique_name("dut"), kArray};
    const MacTiming t =
        compute(dut, {{m, kArray.rows, kArray.cols, 1}, {1, kArray.rows, kArray.cols, 7}});
    const std::int64_t longest = std::max(m, kArray.rows);
    const std::int64_t work = longest + 7 * kArray.rows;
    CHECK(t.done >= cycles(std::max(longest, div_up(work, kArray.arrays)) + kFill));
    // Greedy list scheduling's bound [Graham 1966].
    CHECK(t.done <= cycles(div_up(work, kArray.arrays) + longest + kFill));
  }
}

TEST_CASE("MacArray: a second call waits for the first one's stream and overlaps its drain") {
  MacArray dut{"dut", kArray};
  const GemmShape shape{kArray.rows, kArray.rows, kArray.cols * kArray.arrays, 1};
  const MacTiming first = compute(dut, {shape});
  const MacTiming second = compute(dut, {shape});
  CHECK(second.started == first.done - cycles(kFill));
  CHECK(second.done == first.done + cycles(kArray.rows));
}

TEST_CASE("MacArray: no work takes no time and is not an operation") {
  MacArray dut{"dut", kArray};
  const MacTiming t = compute(dut, {{0, 128, 128, 1}}, Precision::Fp8, 3_ns);
  CHECK(t.done == 3_ns);
  CHECK(dut.stats().operations == 0);
}

}  // namespace
}  // namespace reticle
