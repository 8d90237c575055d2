// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/memory/memory_spec.hpp"

namespace reticle {

/// The one door to every memory, of loosely-timed kind: a call reserves the memory and returns when
/// things will have happened, as a TLM-2.0 b_transport with a delay does.
///
/// Contract (tests/models/memory_conformance.hpp):
///  * calls are placed in call order; `at` may lie ahead of simulated time, never behind the start
///    of the run, and the memory never works before it. A controller that reorders may end a later
///    call first where an earlier one waits for its bank or as a queued write;
///  * at <= accepted <= started <= first_data <= done;
///  * bytes are counted once, as asked; a run of zero bytes takes no time and counts nothing.
class MemoryIf : public virtual sc_core::sc_interface {
 public:
  virtual AccessTiming access(const MemoryRun& run, Picoseconds at) = 0;
  [[nodiscard]] virtual MemoryStats stats() const = 0;
  [[nodiscard]] virtual Bytes capacity() const = 0;
};

}  // namespace reticle
