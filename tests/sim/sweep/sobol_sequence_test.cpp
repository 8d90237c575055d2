// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/sobol_sequence.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace reticle;

TEST_CASE("sobol: the first points are the published ones") {
  // new-joe-kuo-6.21201 in Gray-code order, as the program of Joe and Kuo prints them.
  constexpr std::array<std::array<double, 3>, 8> kPoints{{{0, 0, 0},
                                                          {0.5, 0.5, 0.5},
                                                          {0.75, 0.25, 0.25},
                                                          {0.25, 0.75, 0.75},
                                                          {0.375, 0.375, 0.625},
                                                          {0.875, 0.875, 0.125},
                                                          {0.625, 0.125, 0.875},
                                                          {0.125, 0.625, 0.375}}};
  const SobolSequence sequence{3};
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    const auto point = sequence.point(i);
    for (std::size_t d = 0; d < 3; ++d) CHECK(point[d] == kPoints[i][d]);
  }
}

TEST_CASE("sobol: every dimension meets every layer once") {
  constexpr std::uint64_t kPoints = 1024;
  const SobolSequence sequence{SobolSequence::kMostDimensions};
  std::vector<std::set<int>> layers(SobolSequence::kMostDimensions);
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    const auto point = sequence.point(i);
    for (std::size_t d = 0; d < point.size(); ++d)
      layers[d].insert(static_cast<int>(point[d] * double{kPoints}));
  }
  for (const auto& layer : layers) CHECK(layer.size() == kPoints);
}

TEST_CASE("sobol: two dimensions beside each other fill the square's small boxes evenly") {
  // Of 2^12 points every box of 2^-4 x 2^-4 holds 16 in a (0, 2)-sequence; t-values of later pairs
  // are small, and no box may be empty.
  constexpr std::uint64_t kPoints = 4096;
  const SobolSequence sequence{SobolSequence::kMostDimensions};
  std::vector<std::array<int, 256>> boxes(SobolSequence::kMostDimensions - 1);
  for (auto& b : boxes) b.fill(0);
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    const auto x = sequence.point(i);
    for (std::size_t d = 0; d + 1 < x.size(); ++d)
      ++boxes[d]
             [static_cast<std::size_t>(x[d] * 16) * 16 + static_cast<std::size_t>(x[d + 1] * 16)];
  }
  for (const int count : boxes.front()) CHECK(count == 16);
  for (const auto& of_pair : boxes)
    for (const int count : of_pair) CHECK(count > 0);
}
