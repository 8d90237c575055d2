// SPDX-License-Identifier: Apache-2.0
#include "models/tier/linked_memory.hpp"

#include <algorithm>

namespace reticle {

LinkedMemory::LinkedMemory(const sc_core::sc_module_name& name, const LinkedMemoryParams& params)
    : sc_module{name}, params_{params}, device_{params.device}, queue_{params.queue_depth} {
  port.bind(*this);
}

Picoseconds LinkedMemory::on_wire(const MemoryRun& run) const {
  const std::int64_t packet = params_.link.packet.count();
  const std::int64_t bytes = run.bytes.count();
  const bool scattered = run.piece.count() > 0 && run.piece < run.bytes;
  const std::int64_t packets =
      scattered ? div_up(bytes, run.piece.count()) * div_up(run.piece.count(), packet)
                : div_up(bytes, packet);
  return transfer_time(run.bytes + packets * params_.link.header, params_.link.rate);
}

/// Pieces come as they are ready, several to a packet's time at first: no piece of a run is
/// through earlier than the same bytes in one piece.
Bytes LinkedMemory::first_payload(const MemoryRun& run) const {
  return min(run.bytes, params_.link.packet);
}

Picoseconds LinkedMemory::first_packet(const MemoryRun& run) const {
  return transfer_time(first_payload(run) + params_.link.header, params_.link.rate);
}

/// The request goes out, the device works, packets come back as they are ready.
AccessTiming LinkedMemory::read(const MemoryRun& run, Picoseconds accepted) {
  const Picoseconds out = params_.link.latency;
  const auto span = device_.reserve(run, accepted + out, first_payload(run));
  const Picoseconds packet = first_packet(run);
  const Picoseconds begin = max(span.first + params_.device.read_latency, inward_free_);
  // No packet leaves the link before it came, and none faster than the wire.
  inward_free_ = max(begin + on_wire(run), span.end + params_.device.read_latency + packet);
  stats_.activates += span.pages;
  stats_.busy += max(on_wire(run), span.end - span.start);
  const Picoseconds done = inward_free_ + params_.link.latency;
  return {accepted, span.start - out, min(done, begin + packet + params_.link.latency), done};
}

/// Packets go out and are written as they arrive.
AccessTiming LinkedMemory::write(const MemoryRun& run, Picoseconds accepted) {
  const Picoseconds start = max(accepted, outward_free_);
  const Picoseconds packet = first_packet(run);
  outward_free_ = start + on_wire(run);
  const Bytes first = first_payload(run);
  const auto span = device_.reserve(run, start + packet + params_.link.latency, first);
  // The last packet is written after it has come.
  const Picoseconds last = outward_free_ + params_.link.latency + (span.first - span.start);
  stats_.activates += span.pages;
  stats_.busy += max(on_wire(run), span.end - span.start);
  const Picoseconds done = max(span.end, last) + params_.device.write_latency;
  return {accepted, start, min(done, span.first + params_.device.write_latency), done};
}

AccessTiming LinkedMemory::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  ++stats_.transactions;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;
  const Picoseconds accepted = queue_.accept(at);
  AccessTiming timing = run.kind == Access::Read ? read(run, accepted) : write(run, accepted);
  // Answers come in call order: a posted write does not overtake an older read's data.
  last_done_ = timing.done = max(timing.done, last_done_);
  stats_.waited += timing.started - at;
  queue_.push(timing.done);
  return timing;
}

}  // namespace reticle
