// SPDX-License-Identifier: Apache-2.0
#include "models/memory/tlm_target.hpp"

#include "models/kernel/time.hpp"
#include "models/memory/memory_run_extension.hpp"

namespace reticle {

namespace {
/// What is wrong with a payload, in TLM's words; OK when nothing is.
tlm::tlm_response_status refusal(const tlm::tlm_generic_payload& payload, Bytes capacity) {
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if (payload.get_streaming_width() < payload.get_data_length())
    return tlm::TLM_BURST_ERROR_RESPONSE;
  const auto size = static_cast<sc_dt::uint64>(capacity.count());
  if (payload.get_address() > size || payload.get_data_length() > size - payload.get_address())
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

MemoryRun plain_run(const tlm::tlm_generic_payload& payload) {
  return {.kind = payload.is_read() ? Access::Read : Access::Write,
          .address = Bytes{static_cast<std::int64_t>(payload.get_address())},
          .bytes = Bytes{payload.get_data_length()}};
}
}  // namespace

TlmTarget::TlmTarget(const sc_core::sc_module_name& name) : sc_module{name} {
  socket.register_b_transport(this, &TlmTarget::b_transport);
}

void TlmTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  auto* const extension = payload.get_extension<MemoryRunExtension>();
  if (extension == nullptr) {
    const auto problem = refusal(payload, memory->capacity());
    if (problem != tlm::TLM_OK_RESPONSE) return payload.set_response_status(problem);
  }
  const Picoseconds local = now() + Picoseconds{static_cast<std::int64_t>(delay.value())};
  const AccessTiming timing = extension != nullptr ? memory->access(extension->run, extension->at)
                                                   : memory->access(plain_run(payload), local);
  if (extension != nullptr) extension->timing = timing, extension->answered = true;
  if (timing.done > now()) delay = to_sc_time(timing.done - now());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace reticle
