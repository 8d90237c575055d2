// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <systemc>
#include <tlm>
#include <vector>

#include "models/memory/memory_if.hpp"
#include "models/memory/tlm_spec.hpp"

namespace reticle {

/// Any TLM-2.0 memory in place of one of ours: MemoryIf in front of an initiator socket.
///
/// Models:     loosely timed b_transport with annotated delay: a run becomes payloads of at most
///             `chunk` bytes, `outstanding` of them under way; each sets out when the one so many
///             before it has come back. With `whole_runs`, one payload with MemoryRunExtension.
/// Leaves out: data (a scratch buffer of one chunk goes along), DMI, byte enables, nb_transport.
///             TLM-2.0 cannot ask for the past: a request that lies behind simulated time sets out
///             now. Pieces of a scattered run lie one after another, as the run names no places.
///
/// A target that calls wait() may be used from a thread only; an error response throws
/// SimulationError, naming this module, the response and the address.
class TlmInitiator final : public sc_core::sc_module, public MemoryIf {
 public:
  tlm_utils::simple_initiator_socket<TlmInitiator> socket{"socket"};
  sc_core::sc_export<MemoryIf> port{"port"};

  TlmInitiator(const sc_core::sc_module_name& name, const TlmInitiatorParams& params);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override;
  [[nodiscard]] MemoryStats stats() const override { return stats_; }
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

 private:
  AccessTiming send_whole(const MemoryRun& run, Picoseconds at);
  AccessTiming send_chunks(const MemoryRun& run, Picoseconds at);
  /// One payload that sets out at `at`; when it is back.
  Picoseconds send(Access kind, std::int64_t address, std::int64_t bytes, Picoseconds at,
                   tlm::tlm_generic_payload& payload);

  const TlmInitiatorParams params_;
  std::vector<unsigned char> data_;
  std::vector<Picoseconds> back_;  ///< of the last `outstanding` payloads, round and round
  std::size_t next_ = 0;
  MemoryStats stats_;
};

}  // namespace reticle
