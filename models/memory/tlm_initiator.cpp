// SPDX-License-Identifier: Apache-2.0
#include "models/memory/tlm_initiator.hpp"

#include <algorithm>
#include <string>

#include "models/kernel/time.hpp"
#include "models/memory/memory_run_extension.hpp"
#include "sim/base/error.hpp"

namespace reticle {

TlmInitiator::TlmInitiator(const sc_core::sc_module_name& name, const TlmInitiatorParams& params)
    : sc_module{name},
      params_{params},
      data_(static_cast<std::size_t>(params.chunk.count())),
      back_(static_cast<std::size_t>(params.outstanding)) {
  invariant(params.chunk.count() > 0 && params.outstanding > 0, "payloads have a size and a place");
  port.bind(*this);
}

Picoseconds TlmInitiator::send(Access kind, std::int64_t address, std::int64_t bytes,
                               Picoseconds at, tlm::tlm_generic_payload& payload) {
  payload.set_command(kind == Access::Read ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload.set_address(static_cast<sc_dt::uint64>(address));
  payload.set_data_ptr(data_.data());
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = to_sc_time(max(at, now()) - now());
  socket->b_transport(payload, delay);
  if (!payload.is_response_ok())
    throw SimulationError(std::string{name()} + ": " + payload.get_response_string() + " for " +
                          std::to_string(bytes) + " bytes at address " + std::to_string(address));
  return now() + Picoseconds{static_cast<std::int64_t>(delay.value())};
}

AccessTiming TlmInitiator::send_whole(const MemoryRun& run, Picoseconds at) {
  tlm::tlm_generic_payload payload;
  MemoryRunExtension extension;
  extension.run = run;
  extension.at = at;
  payload.set_extension(&extension);
  const Picoseconds start = max(at, now());
  const Picoseconds back =
      send(run.kind, run.address.count(), min(run.bytes, params_.chunk).count(), at, payload);
  payload.clear_extension(&extension);  // ours, and about to go out of scope
  if (!extension.answered)
    throw SimulationError(std::string{name()} +
                          ": the target does not know MemoryRunExtension; send plain payloads");
  // Something between the two of us may have added a delay of its own.
  AccessTiming timing = extension.timing;
  if (back > max(timing.done, start)) timing.done = back;
  return timing;
}

AccessTiming TlmInitiator::send_chunks(const MemoryRun& run, Picoseconds at) {
  const std::int64_t bytes = run.bytes.count();
  const std::int64_t piece = run.piece.count() > 0 ? std::min(run.piece.count(), bytes) : bytes;
  AccessTiming timing{at, {}, {}, {}};
  bool first = true;
  for (std::int64_t begin = 0; begin < bytes; begin += piece) {
    const std::int64_t end = std::min(begin + piece, bytes);
    for (std::int64_t from = begin; from < end; from += params_.chunk.count()) {
      const std::int64_t size = std::min(params_.chunk.count(), end - from);
      tlm::tlm_generic_payload payload;
      const Picoseconds start = max(max(at, now()), back_[next_]);
      const Picoseconds back = send(run.kind, run.address.count() + from, size, start, payload);
      if (first) timing.started = start, timing.first_data = back;
      first = false;
      timing.first_data = min(timing.first_data, back);
      timing.done = max(timing.done, back);
      stats_.busy += back - start;
      back_[next_] = back;
      next_ = next_ + 1 == back_.size() ? 0 : next_ + 1;
    }
  }
  stats_.waited += timing.started - at;
  timing.accepted = timing.started;
  return timing;
}

AccessTiming TlmInitiator::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  ++stats_.transactions;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;
  if (!params_.whole_runs) return send_chunks(run, at);
  const AccessTiming timing = send_whole(run, at);
  stats_.waited += timing.started - at;
  stats_.busy += timing.done - timing.started;
  return timing;
}

}  // namespace reticle
