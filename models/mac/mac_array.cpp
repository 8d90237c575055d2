// SPDX-License-Identifier: Apache-2.0
#include "models/mac/mac_array.hpp"

#include "models/mac/gemm_cycles.hpp"

namespace reticle {

MacArray::MacArray(const sc_core::sc_module_name& name, const MacParams& params)
    : sc_module{name}, params_{params} {
  port.bind(*this);
}

MacTiming MacArray::compute(std::span<const GemmShape> shapes, Precision precision,
                            Picoseconds at) {
  const GemmCycles cycles = gemm_cycles(params_, shapes, precision);
  if (cycles.stream == 0) return {at, at, {}};
  const Picoseconds started = max(at, free_);
  // The next GEMM's first tile follows into the pipeline behind the last rows of this one.
  free_ = started + time_of(Cycles{cycles.stream}, params_.clock);
  ++stats_.operations;
  stats_.macs[static_cast<std::size_t>(precision)] += cycles.macs;
  stats_.busy += free_ - started;
  return {started, started + time_of(Cycles{cycles.stream + cycles.drain}, params_.clock),
          time_of(Cycles{cycles.longest + cycles.drain}, params_.clock)};
}

}  // namespace reticle
