// SPDX-License-Identifier: Apache-2.0
// Systolic arrays stepped cycle by cycle, every processing element a register and a multiplier:
// what models/mac is checked against. Multiplies real numbers, so that a wrong schedule shows in
// the product.
#pragma once

#include <cstdint>
#include <vector>

namespace reticle::systolic {

using Matrix = std::vector<std::vector<std::int64_t>>;

inline Matrix zeros(std::int64_t rows, std::int64_t cols) {
  return Matrix(static_cast<std::size_t>(rows),
                std::vector<std::int64_t>(static_cast<std::size_t>(cols)));
}
inline std::int64_t& at(Matrix& m, std::int64_t r, std::int64_t c) {
  return m[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)];
}

struct Result {
  Matrix product;
  std::int64_t load = 0;     ///< cycles before the first operand (weights shifting in)
  std::int64_t compute = 0;  ///< cycles from the first operand to the last result at its place
  std::int64_t drain = 0;    ///< cycles until all results are outside (shifting out)
  std::int64_t macs = 0;     ///< multiplications of real operands
};

/// a (m x R) times w (R x C): weights shift down into place, rows of `a` enter skewed from the
/// left, sums move down and leave at the bottom.
inline Result weight_stationary(Matrix a, Matrix w) {
  const auto m = static_cast<std::int64_t>(a.size());
  const auto rows = static_cast<std::int64_t>(w.size());
  const auto cols = static_cast<std::int64_t>(w[0].size());
  Result result{zeros(m, cols)};
  Matrix held = zeros(rows, cols);
  for (; result.load < rows; ++result.load) {  // the last row of weights enters first
    for (std::int64_t r = rows - 1; r > 0; --r) held[std::size_t(r)] = held[std::size_t(r - 1)];
    held[0] = w[std::size_t(rows - 1 - result.load)];
  }
  Matrix moving = zeros(rows, cols), sums = zeros(rows, cols);
  for (std::int64_t left = m * cols; left > 0; ++result.compute) {
    const std::int64_t t = result.compute;
    for (std::int64_t r = rows - 1; r >= 0; --r)
      for (std::int64_t c = cols - 1; c >= 0; --c) {
        const std::int64_t i = t - r - c;  // the row of `a` that is here now, if any
        const bool real = i >= 0 && i < m;
        at(moving, r, c) = c > 0 ? at(moving, r, c - 1) : (real ? at(a, i, r) : 0);
        at(sums, r, c) = (r > 0 ? at(sums, r - 1, c) : 0) + at(moving, r, c) * at(held, r, c);
        result.macs += real;
        if (real && r == rows - 1) at(result.product, i, c) = at(sums, r, c), --left;
      }
  }
  return result;
}

/// a (R x k) times w (k x C): both enter skewed, every element keeps one sum; sums shift out below.
inline Result output_stationary(Matrix a, Matrix w) {
  const auto rows = static_cast<std::int64_t>(a.size());
  const auto k = static_cast<std::int64_t>(w.size());
  const auto cols = static_cast<std::int64_t>(w[0].size());
  Result result{zeros(rows, cols)};
  Matrix across = zeros(rows, cols), down = zeros(rows, cols), sums = zeros(rows, cols);
  for (std::int64_t left = rows * cols * k; left > 0; ++result.compute) {
    const std::int64_t t = result.compute;
    for (std::int64_t r = rows - 1; r >= 0; --r)
      for (std::int64_t c = cols - 1; c >= 0; --c) {
        const std::int64_t i = t - r - c;
        const bool real = i >= 0 && i < k;
        at(across, r, c) = c > 0 ? at(across, r, c - 1) : (real ? at(a, r, i) : 0);
        at(down, r, c) = r > 0 ? at(down, r - 1, c) : (real ? at(w, i, c) : 0);
        at(sums, r, c) += at(across, r, c) * at(down, r, c);
        result.macs += real;
        left -= real;
      }
  }
  for (; result.drain < rows; ++result.drain) {
    result.product[std::size_t(rows - 1 - result.drain)] = sums[std::size_t(rows - 1)];
    for (std::int64_t r = rows - 1; r > 0; --r) sums[std::size_t(r)] = sums[std::size_t(r - 1)];
  }
  return result;
}

}  // namespace reticle::systolic
