// SPDX-License-Identifier: Apache-2.0
#include "models/tier/tier_device.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/error.hpp"

namespace reticle {

TierDevice::TierDevice(const TierDeviceParams& params)
    : params_{params}, free_(static_cast<std::size_t>(params.channels)) {
  invariant(params.channels > 0 && params.banks > 0 && params.burst.count() > 0 &&
                params.page.count() > 0 && params.interleave.count() > 0,
            "device shape");
}

std::int64_t TierDevice::largest_share(std::int64_t bytes) const {
  const std::int64_t stripe = params_.interleave.count();
  const std::int64_t round = stripe * params_.channels;
  return bytes / round * stripe + std::min(bytes % round, stripe);
}

TierDevice::Demand TierDevice::demand_of(const MemoryRun& run) const {
  const std::int64_t burst = params_.burst.count();
  const std::int64_t bytes = run.bytes.count();
  const std::int64_t piece =
      run.piece.count() > 0 && run.piece < run.bytes ? run.piece.count() : bytes;
  const std::int64_t pieces = div_up(bytes, piece);
  const std::int64_t reach = std::min(params_.channels, div_up(piece, params_.interleave.count()));
  // One piece's share of a channel, and how often a channel has one; pieces spread evenly, though
  // no more so than one run of the same bytes.
  const std::int64_t share = div_up(largest_share(piece), burst) * burst;
  const std::int64_t times = div_up(pieces * reach, params_.channels);
  const std::int64_t whole = div_up(largest_share(bytes), burst) * burst;
  return {.channels = std::min(params_.channels, pieces * reach),
          .bytes = std::max(whole, times * share),
          .pages = std::max(div_up(whole, params_.page.count()),
                            times * div_up(share, params_.page.count()))};
}

Picoseconds TierDevice::through_refresh(Picoseconds start, Picoseconds work) const {
  const std::int64_t interval = params_.refresh_interval.count();
  if (interval == 0) return start + work;
  const std::int64_t held = params_.refresh_time.count();
  // The first falls due one interval after time zero; each holds the device for `held`.
  std::int64_t at = start.count();
  std::int64_t phase = at % interval;
  if (at >= interval && phase < held) at += held - phase, phase = held;
  const std::int64_t until_next = interval - phase;
  if (work.count() <= until_next) return Picoseconds{at + work.count()};
  const std::int64_t rest = work.count() - until_next;
  const std::int64_t refreshes = div_up(rest, interval - held);
  return Picoseconds{at + work.count() + refreshes * held};
}

TierDevice::Span TierDevice::reserve(const MemoryRun& run, Picoseconds at, Bytes first_bytes) {
  const Demand demand = demand_of(run);
  const std::int64_t bank =
      (run.kind == Access::Read ? params_.page_read : params_.page_write).count();
  const Picoseconds bus = transfer_time(Bytes{demand.bytes}, params_.rate);
  const Picoseconds banks{mul_div_up(demand.pages, bank, params_.banks)};
  const Picoseconds window{
      mul_div_up(demand.pages, params_.four_pages.count(), 4)};  // pages of a window
  const Picoseconds work = max(bus, max(banks, window));
  const Picoseconds first_work =
      min(work, transfer_time(Bytes{largest_share(first_bytes.count())}, params_.rate));

  Span span{Picoseconds{std::numeric_limits<std::int64_t>::max()}, {}, {}, 0};
  span.first = span.start;
  auto channel =
      static_cast<std::size_t>(run.address.count() / params_.interleave.count() % params_.channels);
  for (std::int64_t i = 0; i < demand.channels; ++i) {
    Picoseconds& free = free_[channel];
    const Picoseconds start = max(at, free);
    free = through_refresh(start, work);
    span.start = min(span.start, start);
    span.first = min(span.first, through_refresh(start, first_work));
    span.end = max(span.end, free);
    channel = channel + 1 == free_.size() ? 0 : channel + 1;
  }
  span.pages = demand.pages * demand.channels;
  return span;
}

}  // namespace reticle
