// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <systemc>
#include <tlm>

#include "models/memory/memory_if.hpp"

namespace reticle {

/// A TLM-2.0 target in front of any of our memories: a foreign initiator talks to it.
///
/// Models:     b_transport, loosely timed: the delay it is called with says when the request comes,
///             the one it returns when the last byte is there. A payload is one contiguous run, or
///             what its MemoryRunExtension says.
/// Leaves out: data (payloads keep theirs untouched), byte enables, streaming, DMI, debug transport
///             and the non-blocking interface (the socket turns nb_transport into b_transport).
class TlmTarget final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<TlmTarget> socket{"socket"};
  sc_core::sc_port<MemoryIf> memory{"memory"};

  explicit TlmTarget(const sc_core::sc_module_name& name);

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
};

}  // namespace reticle
