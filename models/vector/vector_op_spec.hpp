// SPDX-License-Identifier: Apache-2.0
// What the vector unit can be asked for, and what each operation costs: one row per fact. Mapping
// names an operation and its rows; nothing here depends on a platform.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace reticle {

enum class VectorOp : std::uint8_t {
  Elementwise,  ///< one lane operation per element
  RmsNorm,
  LayerNorm,
  AddNorm,  ///< residual add and RMS norm in one pass over the data
  Residual,
  Rope,
  Softmax,
  Merge,
  Activate,
  TopK,
  Combine,
  Sample,
  Quantise,
  Dequantise,
  Select,       ///< the best of a row, found digit by digit
  Convolve,     ///< short causal convolution of as many taps as rounds
  StateUpdate,  ///< of a recurrence, as many operations per element of state as rounds
};
inline constexpr std::size_t kVectorOpCount = 17;

struct VectorOpFact {
  VectorOp op;
  std::string_view name;
  std::int64_t plain;           ///< adds, multiplies, compares per element
  std::int64_t transcendental;  ///< exponentials and reciprocals per element
  std::int64_t per_round;       ///< plain ones per element and round (a round finds one of top k)
  std::int64_t passes;          ///< sweeps over a row of which each needs the one before
  std::int64_t reductions;      ///< results of a whole row, by a tree over the lanes
  std::int64_t round_reductions;
};

// Sources: Softmax, three sweeps: max; exponential and sum; scale [Milakov and Gimelshein, arXiv
// 1805.02867]. Norms: [Zhang and Sennrich, NeurIPS 2019], [Ba et al., arXiv 1607.06450]. Rotation
// by tabled sines: [Su et al., arXiv 2104.09864]. Activate is SiLU times the gate [Shazeer, arXiv
// 2002.05202]: exponential, add, reciprocal, multiply. Merge rescales and adds partial attention
// results [Dao et al., FlashAttention, NeurIPS 2022]. Select is a radix select of 32-bit scores by
// four digits of 8 bits [Alabi et al., JEA 2012]: mask and count per digit. Quantise finds a
// block's largest magnitude, scales and rounds [OCP MX v1.0]. Counts of operations are counted from
// these equations.
inline constexpr std::array<VectorOpFact, kVectorOpCount> kVectorOps{{
    // op, name, plain, transcendental, per round, passes, reductions, per round
    {VectorOp::Elementwise, "elementwise", 1, 0, 0, 1, 0, 0},
    {VectorOp::RmsNorm, "rms_norm", 4, 0, 0, 2, 1, 0},      // square, sum; scale, weight
    {VectorOp::LayerNorm, "layer_norm", 7, 0, 0, 3, 2, 0},  // mean; variance; scale, weight, bias
    {VectorOp::AddNorm, "add_norm", 5, 0, 0, 2, 1, 0},      // add, then as RmsNorm
    {VectorOp::Residual, "residual", 1, 0, 0, 1, 0, 0},
    {VectorOp::Rope, "rope", 3, 0, 0, 1, 0, 0},        // two multiplies, an add
    {VectorOp::Softmax, "softmax", 4, 1, 0, 3, 2, 0},  // max; subtract, exp, sum; scale
    {VectorOp::Merge, "merge", 3, 0, 0, 1, 0, 0},
    {VectorOp::Activate, "activate", 2, 2, 0, 1, 0, 0},
    {VectorOp::TopK, "top_k", 4, 1, 1, 3, 2, 1},  // softmax, then the largest, k times
    {VectorOp::Combine, "combine", 1, 0, 0, 1, 0, 0},
    {VectorOp::Sample, "sample", 4, 1, 0, 3, 3, 0},  // softmax, and a draw by a running sum
    {VectorOp::Quantise, "quantise", 3, 0, 0, 2, 1, 0},
    {VectorOp::Dequantise, "dequantise", 1, 0, 0, 1, 0, 0},
    {VectorOp::Select, "select", 8, 0, 0, 4, 4, 0},
    {VectorOp::Convolve, "convolve", 0, 0, 2, 1, 0, 0},  // multiply and add a tap
    {VectorOp::StateUpdate, "state_update", 0, 0, 1, 1, 0, 0},
}};

constexpr const VectorOpFact& fact_of(VectorOp op) {
  return kVectorOps[static_cast<std::size_t>(op)];
}

/// One vector instruction: `elements` in rows of `row` (0 = one row of all).
struct VectorWork {
  VectorOp op{};
  std::int64_t elements = 0;
  std::int64_t row = 0;
  std::int64_t rounds = 0;  ///< TopK: k; Convolve: taps; StateUpdate: operations
};

/// Lane operations of all kinds: what energy and the roofline count.
constexpr std::int64_t element_ops(const VectorWork& work) {
  const VectorOpFact& fact = fact_of(work.op);
  return work.elements * (fact.plain + fact.transcendental + fact.per_round * work.rounds);
}

}  // namespace reticle
