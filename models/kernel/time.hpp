// SPDX-License-Identifier: Apache-2.0
// The only place where our time meets SystemC's; the kernel's resolution is 1 ps.
#pragma once

#include <systemc>

#include "sim/base/units.hpp"

namespace reticle {

inline sc_core::sc_time to_sc_time(Picoseconds t) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(t.count()));
}
inline Picoseconds now() {
  return Picoseconds{static_cast<std::int64_t>(sc_core::sc_time_stamp().value())};
}

}  // namespace reticle
