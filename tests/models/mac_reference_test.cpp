// SPDX-License-Identifier: Apache-2.0
// The MAC array beside arrays stepped cycle by cycle, closed forms of the literature, and tiles
// dealt one by one. `ctest -R "MacArray beside" -V` prints the table of docs/models/mac.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <queue>
#include <vector>

#include "models/mac/gemm_cycles.hpp"
#include "models/mac/mac_array.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/systolic_reference.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

constexpr auto kFp8 = static_cast<std::size_t>(Precision::Fp8);

MacParams array_of(std::int64_t rows, std::int64_t cols, Dataflow dataflow,
                   std::int64_t arrays = 1) {
  MacParams p = mac_array();
  p.arrays = arrays;
  p.rows = rows;
  p.cols = cols;
  p.dataflow = dataflow;
  return p;
}

std::int64_t cycles_of(const MacParams& p, const std::vector<GemmShape>& shapes) {
  MacArray dut{sc_core::sc_gen_unique_name("dut"), p};
  return dut.compute(shapes, Precision::Fp8, 0_ps).done.count() / 1000;  // 1 GHz
}

systolic::Matrix random_matrix(RngStream& rng, std::int64_t rows, std::int64_t cols) {
  auto m = systolic::zeros(rows, cols);
  for (auto& row : m)
    for (auto& x : row) x = static_cast<std::int64_t>(rng.below(100)) - 50;
  return m;
}

systolic::Matrix product(systolic::Matrix a, systolic::Matrix b) {
  const auto m = static_cast<std::int64_t>(a.size()), k = static_cast<std::int64_t>(b.size()),
             n = static_cast<std::int64_t>(b[0].size());
  auto out = systolic::zeros(m, n);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t x = 0; x < k; ++x)
        systolic::at(out, i, j) += systolic::at(a, i, x) * systolic::at(b, x, j);
  return out;
}

TEST_CASE("MacArray beside a stepped weight-stationary array: one tile, to the cycle") {
  RngStream rng{1, "systolic"};
  for (const auto& [rows, cols] : {std::pair{4, 4}, std::pair{8, 3}, std::pair{2, 16}})
    for (const std::int64_t m : {1, 3, 8, 40}) {
      const auto a = random_matrix(rng, m, rows);
      const auto w = random_matrix(rng, rows, cols);
      const auto stepped = systolic::weight_stationary(a, w);
      CHECK(stepped.product == product(a, w));
      CHECK(stepped.compute == m + rows + cols - 2);
      CHECK(stepped.macs == m * rows * cols);
      MacParams p = array_of(rows, cols, Dataflow::WeightStationary);
      // Double buffered the weights are there; at m < rows the next tile's load is what takes time.
      if (m >= rows) CHECK(cycles_of(p, {{m, rows, cols, 1}}) == stepped.compute);
      p.double_buffered_weights = false;  // SCALE-Sim: 2 R + C + T - 2 with T = m
      CHECK(cycles_of(p, {{m, rows, cols, 1}}) == stepped.load + stepped.compute);
      CHECK(cycles_of(p, {{m, rows, cols, 1}}) == 2 * rows + cols + m - 2);
    }
}

TEST_CASE("MacArray beside a stepped output-stationary array: one tile, to the cycle") {
  RngStream rng{2, "systolic"};
  for (const auto& [rows, cols] : {std::pair{4, 4}, std::pair{8, 3}, std::pair{2, 16}})
    for (const std::int64_t k : {1, 3, 8, 40}) {
      const auto a = random_matrix(rng, rows, k);
      const auto w = random_matrix(rng, k, cols);
      const auto stepped = systolic::output_stationary(a, w);
      CHECK(stepped.product == product(a, w));
      CHECK(stepped.compute == k + rows + cols - 2);
      CHECK(stepped.macs == rows * k * cols);
      MacParams p = array_of(rows, cols, Dataflow::OutputStationary);
      p.double_buffered_weights = false;
      // SCALE-Sim: 2 R + C + T - 2 with T = k.
      CHECK(cycles_of(p, {{rows, k, cols, 1}}) == stepped.compute + stepped.drain);
      CHECK(cycles_of(p, {{rows, k, cols, 1}}) == 2 * rows + cols + k - 2);
      p.double_buffered_weights = true;
      if (k >= rows) CHECK(cycles_of(p, {{rows, k, cols, 1}}) == stepped.compute + stepped.drain);
    }
}

TEST_CASE("MacArray beside closed forms: utilisation of one tile") {
  const std::int64_t r = 128, c = 128;
  for (const std::int64_t t : {128, 256, 1024}) {
    const double used = static_cast<double>(t) / static_cast<double>(t + r + c - 2);
    const auto ws = cycles_of(array_of(r, c, Dataflow::WeightStationary), {{t, r, c, 1}});
    CHECK(static_cast<double>(t) / static_cast<double>(ws) == doctest::Approx(used));
    const auto os = cycles_of(array_of(r, c, Dataflow::OutputStationary), {{r, t, c, 1}}) - r;
    CHECK(static_cast<double>(t) / static_cast<double>(os) == doctest::Approx(used));
  }
}

/// Every tile of a product, with the edges it really has.
struct Tile {
  std::int64_t macs, pass;
};
void each_tile(const MacParams& p, const GemmShape& s, std::vector<Tile>& tiles) {
  const bool weights_stay = p.dataflow == Dataflow::WeightStationary;
  const std::int64_t outer = weights_stay ? s.k : s.m, stream = weights_stay ? s.m : s.k;
  for (std::int64_t i = 0; i < s.count; ++i)
    for (std::int64_t x = 0; x < outer; x += p.rows)
      for (std::int64_t y = 0; y < s.n; y += p.cols)
        tiles.push_back({std::min(p.rows, outer - x) * std::min(p.cols, s.n - y) * stream,
                         std::max(stream, p.rows)});
}
/// Tiles dealt one by one, each to the array that falls free first.
std::int64_t dealt(const MacParams& p, const std::vector<Tile>& tiles) {
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> free;
  for (std::int64_t i = 0; i < p.arrays; ++i) free.push(0);
  std::int64_t end = 0;
  for (const Tile& tile : tiles) {
    const std::int64_t done = free.top() + tile.pass;
    free.pop();
    free.push(done);
    end = std::max(end, done);
  }
  return end + drain_cycles(p);
}

TEST_CASE("MacArray beside tiles dealt one by one: equal shapes to the cycle, and every product") {
  RngStream rng{3, "tiles"};
  for (int i = 0; i < 300; ++i) {
    const auto dataflow = i % 2 ? Dataflow::WeightStationary : Dataflow::OutputStationary;
    const MacParams p = array_of(8, 16, dataflow, 1 + static_cast<std::int64_t>(rng.below(7)));
    const auto draw = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    const GemmShape shape{draw(60), draw(90), draw(120), draw(4)};
    std::vector<Tile> tiles;
    each_tile(p, shape, tiles);
    std::int64_t macs = 0;
    for (const Tile& tile : tiles) macs += tile.macs;
    MacArray dut{sc_core::sc_gen_unique_name("dut"), p};
    const MacTiming t = dut.compute({&shape, 1}, Precision::Fp8, 0_ps);
    CHECK(t.done.count() / 1000 == dealt(p, tiles));
    CHECK(dut.stats().macs[kFp8] == macs);
    CHECK(tiling_of(p, shape, Precision::Fp8).tiles == static_cast<std::int64_t>(tiles.size()));
  }
}

struct Grouped {
  const char* name;
  std::uint64_t most;  ///< tokens of an expert, uniform from 1
  std::int64_t experts, k, n;
  double bound;
};

TEST_CASE("MacArray beside tiles dealt one by one: experts with few tokens each") {
  std::printf("%-44s %10s %10s\n", "experts", "least", "most");
  for (const auto& g : {Grouped{"64 of 1 to 4 tokens, 512 x 512", 4, 64, 512, 512, 0.0},
                        Grouped{"64 of 1 to 64 tokens, 512 x 512", 64, 64, 512, 512, 0.01},
                        Grouped{"8 of 1 to 64 tokens, 512 x 512", 64, 8, 512, 512, 0.03},
                        Grouped{"8 of 1 to 64 tokens, 64 x 128", 64, 8, 64, 128, 0.10}}) {
    double least = 0, most = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      RngStream rng{seed, "experts"};
      const MacParams p = array_of(8, 128, Dataflow::WeightStationary, 16);
      std::vector<GemmShape> shapes;
      std::vector<Tile> tiles;
      for (std::int64_t e = 0; e < g.experts; ++e) {
        shapes.push_back({static_cast<std::int64_t>(1 + rng.below(g.most)), g.k, g.n, 1});
        each_tile(p, shapes.back(), tiles);
      }
      const double off =
          static_cast<double>(cycles_of(p, shapes)) / static_cast<double>(dealt(p, tiles)) - 1;
      least = std::min(least, off), most = std::max(most, off);
    }
    std::printf("%-44s %+9.2f%% %+9.2f%%\n", g.name, 100 * least, 100 * most);
    CHECK(std::max(-least, most) <= g.bound);
  }
}

TEST_CASE("MacArray: operand buffers that cannot keep up stretch the pass") {
  const GemmShape shape{256, 128, 128, 1};
  for (const auto dataflow : {Dataflow::WeightStationary, Dataflow::OutputStationary}) {
    MacParams p = array_of(128, 128, dataflow);
    const std::int64_t full = tiling_of(p, shape, Precision::Fp8).pass;
    p.weight_bandwidth = p.activation_bandwidth = 128_B;  // a row or column of FP8 a cycle
    CHECK(tiling_of(p, shape, Precision::Fp8).pass == full);
    p.activation_bandwidth = 32_B;
    const std::int64_t stream = dataflow == Dataflow::WeightStationary ? 256 : 128;
    CHECK(tiling_of(p, shape, Precision::Fp8).pass == 4 * stream);
    p.activation_bandwidth = {};
    p.weight_bandwidth = 16_B;
    CHECK(tiling_of(p, shape, Precision::Fp8).pass == 128 * 128 / 16);
  }
}

}  // namespace
}  // namespace reticle
