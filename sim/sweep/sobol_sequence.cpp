// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/sobol_sequence.hpp"

#include <array>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// A primitive polynomial: its degree, its inner coefficients as bits, and the first direction
/// numbers, which are free but for being odd and below 2^i.
struct Row {
  std::size_t degree;
  std::uint32_t coefficients;
  std::array<std::uint32_t, 7> first;
};
/// Dimensions 2 to 21; the first is van der Corput's sequence.
constexpr std::array<Row, SobolSequence::kMostDimensions - 1> kRows{{
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
}};
}  // namespace

SobolSequence::SobolSequence(std::size_t dimensions) {
  invariant(dimensions >= 1 && dimensions <= kMostDimensions, "direction numbers are known");
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::vector<std::uint32_t> v(kBits);
    const std::size_t degree = d == 0 ? kBits : kRows[d - 1].degree;
    for (std::size_t i = 0; i < kBits; ++i) {
      if (i < degree) {
        v[i] = (d == 0 ? 1U : kRows[d - 1].first[i]) << (kBits - 1 - i);
        continue;
      }
      v[i] = v[i - degree] ^ (v[i - degree] >> degree);
      for (std::size_t k = 1; k < degree; ++k)
        if ((kRows[d - 1].coefficients >> (degree - 1 - k) & 1U) != 0) v[i] ^= v[i - k];
    }
    directions_.push_back(std::move(v));
  }
}

std::vector<double> SobolSequence::point(std::uint64_t number) const {
  const std::uint64_t gray = number ^ (number >> 1);
  std::vector<double> x;
  for (const auto& v : directions_) {
    std::uint32_t bits = 0;
    for (std::size_t b = 0; b < kBits; ++b)
      if ((gray >> b & 1U) != 0) bits ^= v[b];
    x.push_back(static_cast<double>(bits) * 0x1p-32);  // kBits behind the point
  }
  return x;
}

}  // namespace reticle
