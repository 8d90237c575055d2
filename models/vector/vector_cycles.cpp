// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_cycles.hpp"

#include <algorithm>
#include <bit>

namespace reticle {

namespace {
/// A transcendental takes the issue slots of lanes / transcendental lanes plain operations.
Cycles issue_cycles(const VectorParams& params, const VectorWork& work) {
  const VectorOpFact& fact = fact_of(work.op);
  const std::int64_t narrow =
      params.transcendental_lanes > 0 ? params.transcendental_lanes : params.lanes;
  const std::int64_t plain = work.elements * (fact.plain + fact.per_round * work.rounds);
  const std::int64_t slots = mul_div_up(work.elements * fact.transcendental, params.lanes, narrow);
  return Cycles{div_up(plain + slots, params.lanes)};
}

/// Every sweep fills the pipeline; every result of a row climbs a tree over the lanes it lies on.
Cycles depth(const VectorParams& params, const VectorWork& work) {
  const VectorOpFact& fact = fact_of(work.op);
  const std::int64_t row = work.row > 0 ? work.row : work.elements;
  const auto width = static_cast<std::uint64_t>(std::min(row, params.lanes));
  const auto levels = static_cast<std::int64_t>(std::bit_width(width - 1));
  const std::int64_t trees = fact.reductions + fact.round_reductions * work.rounds;
  return fact.passes * params.latency + trees * levels * params.reduction_step;
}
}  // namespace

VectorCycles vector_cycles(const VectorParams& params, const VectorWork& work) {
  return {issue_cycles(params, work), depth(params, work)};
}

}  // namespace reticle
