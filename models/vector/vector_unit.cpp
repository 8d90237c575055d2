// SPDX-License-Identifier: Apache-2.0
#include "models/vector/vector_unit.hpp"

namespace reticle {

VectorUnit::VectorUnit(const sc_core::sc_module_name& name, const VectorParams& params)
    : sc_module{name}, params_{params}, latency_{time_of(params.latency, params.clock)} {
  port.bind(*this);
}

VectorTiming VectorUnit::compute(std::int64_t element_ops, Picoseconds at) {
  if (element_ops <= 0) return {at, at, {}};
  const Picoseconds started = max(at, free_);
  const Picoseconds busy = time_of(Cycles{div_up(element_ops, params_.lanes)}, params_.clock);
  free_ = started + busy;
  ++stats_.operations;
  stats_.element_ops += element_ops;
  stats_.busy += busy;
  return {started, free_ + latency_, latency_};
}

}  // namespace reticle
