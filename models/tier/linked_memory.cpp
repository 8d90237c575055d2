// SPDX-License-Identifier: Apache-2.0
#include "models/tier/linked_memory.hpp"

namespace reticle {

LinkedMemory::LinkedMemory(const sc_core::sc_module_name& name, const LinkedMemoryParams& params)
    : sc_module{name}, params_{params}, queue_{params.queue_depth} {
  port.bind(*this);
}

AccessTiming LinkedMemory::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  const std::int64_t chunk = params_.chunk.count();
  const bool scattered = run.piece.count() > 0 && run.piece < run.bytes;
  const std::int64_t chunks =
      scattered ? div_up(run.bytes.count(), run.piece.count()) * div_up(run.piece.count(), chunk)
                : div_up(run.bytes.count(), chunk);
  const Picoseconds device_chunk = transfer_time(params_.chunk, params_.device_rate);
  const Picoseconds link_chunk = transfer_time(params_.chunk, params_.link_rate);

  // Reads pass the device first, then the link; writes the other way round.
  const bool read = run.kind == Access::Read;
  Picoseconds& first_free = read ? device_free_ : link_free_;
  Picoseconds& second_free = read ? link_free_ : device_free_;
  const Picoseconds first_chunk = read ? device_chunk : link_chunk;
  const Picoseconds second_chunk = read ? link_chunk : device_chunk;
  const Picoseconds first_latency = read ? params_.device_latency : params_.link_latency;
  const Picoseconds second_latency = read ? params_.link_latency : params_.device_latency;

  const Picoseconds accepted = queue_.accept(at);
  const Picoseconds start = max(accepted, first_free);
  first_free = start + chunks * first_chunk;
  const Picoseconds onward = max(start + first_latency + first_chunk, second_free);
  const Picoseconds last_in = first_free + first_latency;
  // Chunk i leaves the second server no earlier than it came and no faster than the server's rate.
  second_free = max(onward + chunks * second_chunk, last_in + second_chunk);

  ++stats_.transactions;
  (read ? stats_.read : stats_.written) += run.bytes;
  stats_.busy += chunks * max(first_chunk, second_chunk);
  stats_.waited += start - at;
  const Picoseconds done = second_free + second_latency;
  queue_.push(done);
  return {accepted, start, min(done, onward + second_chunk + second_latency), done};
}

}  // namespace reticle
