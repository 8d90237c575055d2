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
      cycle_{time_of(Cycles{1}, params.clock)},
      port_free_(static_cast<std::size_t>(params.banks * params.ports)),
      read_(static_cast<std::size_t>(params.banks)),
      written_(static_cast<std::size_t>(params.banks)) {
  invariant(params.banks > 0 && params.ports > 0 && params.width.count() > 0, "SRAM shape");
  port.bind(*this);
}

SramBankGroup::Share SramBankGroup::share_of(std::int64_t bytes, std::int64_t piece) const {
  // A piece takes whole port cycles, however few bytes it has.
  const Cycles cycles{mul_div_up(bytes, div_up(piece, params_.width.count()), piece)};
  return {Bytes{bytes}, time_of(cycles, params_.clock)};
}

Picoseconds SramBankGroup::reserve(std::int64_t bank, const Share& share, Picoseconds at) {
  const auto first = port_free_.begin() + bank * params_.ports;
  const auto free = params_.ports == 1 ? first : std::min_element(first, first + params_.ports);
  const Picoseconds start = max(at, *free);
  *free = start + share.busy;
  return start;
}

AccessTiming SramBankGroup::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  ++stats_.transactions;
  auto& counted = run.kind == Access::Read ? read_ : written_;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;

  // Stripes of `interleave` bytes go round the banks: the first banks hold one stripe more than the
  // others, the last stripe may be short. Scattered pieces are taken as spread the same way.
  const std::int64_t stripe = params_.interleave.count();
  const std::int64_t stripes = div_up(run.bytes.count(), stripe);
  const std::int64_t touched = std::min(stripes, params_.banks);
  const std::int64_t larger = stripes % touched;
  const std::int64_t rounds = stripes / touched;
  const std::int64_t short_by = stripes * stripe - run.bytes.count();
  const std::int64_t piece =
      run.piece.count() > 0 && run.piece < run.bytes ? run.piece.count() : params_.width.count();
  const Share large = share_of((rounds + 1) * stripe, piece);
  const Share small = share_of(rounds * stripe, piece);
  const std::int64_t short_bank = (larger > 0 ? larger : touched) - 1;
  const Share last = share_of((larger > 0 ? rounds + 1 : rounds) * stripe - short_by, piece);

  std::int64_t bank = (run.address.count() / stripe) % params_.banks;
  Picoseconds first_start{std::numeric_limits<std::int64_t>::max()};
  Picoseconds done{};
  for (std::int64_t i = 0; i < touched; ++i) {
    const Share& share = i == short_bank ? last : i < larger ? large : small;
    const Picoseconds start = reserve(bank, share, at);
    first_start = min(first_start, start);
    done = max(done, start + share.busy);
    counted[static_cast<std::size_t>(bank)] += share.bytes;
    stats_.busy += share.busy;
    stats_.waited += start - at;
    if (++bank == params_.banks) bank = 0;
  }
  const Picoseconds first_data = first_start + latency_ + cycle_;
  return {at, first_start, first_data, max(first_data, done + latency_)};
}

}  // namespace reticle
