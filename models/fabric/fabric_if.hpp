// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// How an exchange ended for one participant, and what its time went to.
struct ExchangeTiming {
  Picoseconds done{};
  std::int32_t bound_by_slot = 0;  ///< the participant whose joining bound this one's end
  Picoseconds bound_joined{};      ///< when that one joined
  Picoseconds latency{};           ///< of done - bound_joined: overhead, wires and routers;
                                   ///< the rest is serialisation and queueing
};

/// The door to the fabric: a die joins an exchange when it has what it is to send.
class FabricIf : public virtual sc_core::sc_interface {
 public:
  /// Called at simulated time `now`, once per participant of exchange `exchange`.
  virtual void join(std::int32_t exchange, std::int32_t slot) = 0;
};

/// The fabric's answer. Delivered when the last participant has joined; `timing.done` may lie ahead
/// of simulated time, never behind.
class ExchangeListenerIf : public virtual sc_core::sc_interface {
 public:
  virtual void exchange_done(std::int32_t exchange, const ExchangeTiming& timing) = 0;
};

}  // namespace reticle
