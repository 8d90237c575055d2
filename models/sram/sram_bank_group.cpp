// SPDX-License-Identifier: Apache-2.0
#include "models/sram/sram_bank_group.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/error.hpp"

namespace reticle {

SramBankGroup::SramBankGroup(const sc_core::sc_module_name& name, const SramParams& params)
    : sc_module{name},
      params_{params},
      latency_{time_of(params.latency, params.clock)},
      banks_(static_cast<std::size_t>(params.banks)) {
  invariant(params.banks > 0 && params.ports > 0 && params.width.count() > 0, "SRAM shape");
  for (auto& bank : banks_) bank.port_free.resize(static_cast<std::size_t>(params.ports));
  port.bind(*this);
}

Picoseconds SramBankGroup::reserve(Bank& bank, Picoseconds busy, Picoseconds at) {
  auto free = std::min_element(bank.port_free.begin(), bank.port_free.end());
  const Picoseconds start = max(at, *free);
  *free = start + busy;
  stats_.busy += busy;
  return start;
}

AccessTiming SramBankGroup::access(const MemoryRun& run, Picoseconds at) {
  AccessTiming timing{at, at, at, at};
  if (run.bytes.count() <= 0) return timing;
  ++stats_.transactions;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;

  // Stripes of `interleave` bytes go round the banks. A contiguous run covers them in order; a run
  // of scattered pieces is taken as spread evenly, each piece rounded up to whole port cycles.
  const bool scattered = run.piece.count() > 0 && run.piece < run.bytes;
  const std::int64_t width = params_.width.count();
  const std::int64_t occupied = scattered ? div_up(run.bytes.count(), run.piece.count()) *
                                                div_up(run.piece.count(), width) * width
                                          : run.bytes.count();
  const std::int64_t stripe = params_.interleave.count();
  const std::int64_t stripes = div_up(run.bytes.count(), stripe);
  const std::int64_t touched = std::min(stripes, params_.banks);
  const std::int64_t first_bank = (run.address.count() / stripe) % params_.banks;

  Picoseconds first_start{std::numeric_limits<std::int64_t>::max()};
  Picoseconds done{};
  std::int64_t left = run.bytes.count();
  for (std::int64_t i = 0; i < touched; ++i) {
    const std::int64_t share =
        i + 1 == touched ? left
                         : std::min(left, (stripes / touched + (i < stripes % touched)) * stripe);
    left -= share;
    auto& bank = banks_[static_cast<std::size_t>((first_bank + i) % params_.banks)];
    const Cycles cycles{div_up(mul_div_up(share, occupied, run.bytes.count()), width)};
    const Picoseconds busy = time_of(cycles, params_.clock);
    const Picoseconds start = reserve(bank, busy, at);
    (run.kind == Access::Read ? bank.read : bank.written) += Bytes{share};
    first_start = min(first_start, start);
    done = max(done, start + busy);
    stats_.waited += start - at;
  }
  timing.started = first_start;
  timing.first_data = first_start + latency_ + time_of(Cycles{1}, params_.clock);
  timing.done = max(timing.first_data, done + latency_);
  return timing;
}

}  // namespace reticle
