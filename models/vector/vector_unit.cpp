// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_unit.hpp"

#include "models/vector/vector_cycles.hpp"

namespace reticle {

VectorUnit::VectorUnit(const sc_core::sc_module_name& name, const VectorParams& params)
    : sc_module{name}, params_{params} {
  port.bind(*this);
}

VectorTiming VectorUnit::compute(const VectorWork& work, Picoseconds at) {
  if (work.elements <= 0) return {at, at, {}};
  const VectorCycles cycles = vector_cycles(params_, work);
  const Picoseconds started = max(at, free_);
  const Picoseconds busy = time_of(cycles.issue, params_.clock);
  const Picoseconds tail = time_of(cycles.depth, params_.clock);
  free_ = started + busy;
  ++stats_.operations;
  stats_.element_ops += element_ops(work);
  stats_.busy += busy;
  return {started, free_ + tail, tail};
}

}  // namespace reticle
