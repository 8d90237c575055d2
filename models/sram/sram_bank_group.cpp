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

void SramBankGroup::reserve(std::int64_t first, std::int64_t count, const Share& share, Span& span,
                            std::vector<Bytes>& counted) {
  if (count <= 0) return;
  Picoseconds waited{};
  for (std::int64_t bank = first; bank < first + count; ++bank) {
    const auto ports = port_free_.begin() + bank * params_.ports;
    const auto free = params_.ports == 1 ? ports : std::min_element(ports, ports + params_.ports);
    const Picoseconds start = max(span.at, *free);
    *free = start + share.busy;
    span.first_start = min(span.first_start, start);
    span.done = max(span.done, *free);
    waited += start - span.at;
    counted[static_cast<std::size_t>(bank)] += share.bytes;
  }
  stats_.waited += waited;
  stats_.busy += count * share.busy;
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
  const std::int64_t short_place = (larger > 0 ? larger : touched) - 1;
  const Share last = share_of((larger > 0 ? rounds + 1 : rounds) * stripe - short_by, piece);

  const std::int64_t origin = (run.address.count() / stripe) % params_.banks;
  Span span{at, Picoseconds{std::numeric_limits<std::int64_t>::max()}, Picoseconds{}};
  // Places [begin, end) of the run's round, which may wrap from the last bank to the first.
  const auto take = [&](std::int64_t begin, std::int64_t end, const Share& share) {
    const std::int64_t from = (origin + begin) % params_.banks;
    const std::int64_t before_wrap = std::min(end - begin, params_.banks - from);
    reserve(from, before_wrap, share, span, counted);
    reserve(0, end - begin - before_wrap, share, span, counted);
  };
  take(0, larger > 0 ? larger - 1 : 0, large);
  take(larger, larger > 0 ? touched : touched - 1, small);
  take(short_place, short_place + 1, last);
  const Picoseconds first_data = span.first_start + latency_ + cycle_;
  return {at, span.first_start, first_data, max(first_data, span.done + latency_)};
}

}  // namespace reticle
