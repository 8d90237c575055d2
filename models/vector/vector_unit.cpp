// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_unit.hpp"

#include <algorithm>
#include <bit>

namespace reticle {

VectorUnit::VectorUnit(const sc_core::sc_module_name& name, const VectorParams& params)
    : sc_module{name},
      params_{params},
      transcendental_lanes_{params.transcendental_lanes > 0 ? params.transcendental_lanes
                                                            : params.lanes} {
  port.bind(*this);
}

/// A transcendental takes the issue slots of lanes / transcendental lanes plain operations.
Cycles VectorUnit::issue_cycles(const VectorWork& work) const {
  const VectorOpFact& fact = fact_of(work.op);
  const std::int64_t plain = work.elements * (fact.plain + fact.per_round * work.rounds);
  const std::int64_t slots =
      mul_div_up(work.elements * fact.transcendental, params_.lanes, transcendental_lanes_);
  return Cycles{div_up(plain + slots, params_.lanes)};
}

/// Every sweep fills the pipeline; every result of a row climbs a tree over the lanes it lies on.
Cycles VectorUnit::depth(const VectorWork& work) const {
  const VectorOpFact& fact = fact_of(work.op);
  const std::int64_t row = work.row > 0 ? work.row : work.elements;
  const auto width = static_cast<std::uint64_t>(std::min(row, params_.lanes));
  const auto levels = static_cast<std::int64_t>(std::bit_width(width - 1));
  const std::int64_t trees = fact.reductions + fact.round_reductions * work.rounds;
  return fact.passes * params_.latency + trees * levels * params_.reduction_step;
}

VectorTiming VectorUnit::compute(const VectorWork& work, Picoseconds at) {
  if (work.elements <= 0) return {at, at, {}};
  const Picoseconds started = max(at, free_);
  const Picoseconds busy = time_of(issue_cycles(work), params_.clock);
  const Picoseconds tail = time_of(depth(work), params_.clock);
  free_ = started + busy;
  ++stats_.operations;
  stats_.element_ops += element_ops(work);
  stats_.busy += busy;
  return {started, free_ + tail, tail};
}

}  // namespace reticle
