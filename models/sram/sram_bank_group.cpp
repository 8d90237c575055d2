// SPDX-License-Identifier: Apache-2.0
#include "models/sram/sram_bank_group.hpp"

#include <algorithm>
#include <limits>

namespace reticle {

SramBankGroup::SramBankGroup(const sc_core::sc_module_name& name, const SramParams& params)
    : sc_module{name},
      params_{params},
      latency_{time_of(params.latency, params.clock)},
      cycle_{time_of(Cycles{1}, params.clock)},
      layout_{params},
      port_free_(static_cast<std::size_t>(params.banks * params.ports)),
      bank_words_(static_cast<std::size_t>(params.banks)) {
  port.bind(*this);
}

SramBankGroup::Passage SramBankGroup::pass_crossbar(std::uint8_t requester, std::int64_t words,
                                                    Picoseconds at) {
  const std::int64_t wide = crossbar_words(params_);
  if (wide == params_.banks) return {at, {}};
  if (requester >= crossbar_free_.size()) crossbar_free_.resize(std::size_t{requester} + 1);
  Picoseconds& free = crossbar_free_[requester];
  const Picoseconds start = max(at, free);
  const Picoseconds busy = time_of(Cycles{div_up(words, wide)}, params_.clock);
  free = start + busy;
  return {start, busy};
}

AccessTiming SramBankGroup::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  ++stats_.transactions;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;

  // Banks and crossbar port each take their place in their own queue. A bank that waited for the
  // port would lie idle before it, as what is reserved is not filled up later.
  const auto& words = layout_.words(run);
  const Passage passage = pass_crossbar(run.requester, layout_.total(), at);
  Picoseconds first_start{std::numeric_limits<std::int64_t>::max()};
  Picoseconds done = passage.start + passage.busy;
  std::int64_t timed = 0;  // `busy` is the time of so many words; most banks have as many
  Picoseconds busy{};
  for (std::size_t bank = 0; bank < words.size(); ++bank) {
    if (words[bank] == 0) continue;
    if (words[bank] != timed) busy = time_of(Cycles{timed = words[bank]}, params_.clock);
    const auto ports = port_free_.begin() + static_cast<std::ptrdiff_t>(bank) * params_.ports;
    const auto free = params_.ports == 1 ? ports : std::min_element(ports, ports + params_.ports);
    const Picoseconds start = max(at, *free);
    *free = start + busy;
    first_start = min(first_start, start);
    done = max(done, *free);
    stats_.waited += start - at;
    stats_.busy += busy;
    bank_words_[bank] += words[bank];
  }
  first_start = max(first_start, passage.start);
  const Picoseconds first_data = first_start + latency_ + cycle_;
  return {at, first_start, first_data, max(first_data, done + latency_)};
}

}  // namespace reticle
