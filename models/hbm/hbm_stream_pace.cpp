// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_stream_pace.hpp"

#include <algorithm>

#include "models/hbm/hbm_controller.hpp"
#include "models/hbm/hbm_map.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

namespace {
/// Of HBM4 11 us, in which every bank is refreshed two or three times.
constexpr std::int64_t kBursts = 12'000;
constexpr std::int64_t kSettling = 1'000;
/// Runs of 8 KiB: long against a queue, short against a stream that falls into step with refresh.
constexpr std::int64_t kRun = 256;
constexpr std::int64_t kPlaces = 1 << 16;

/// Half clocks from the column command of burst kSettling to that of the last.
template <class Place>
HbmTick time_bursts(const HbmParams& params, Access kind, Place place) {
  HbmController dut{params};
  const HbmMap map{params};
  HbmTick now = 0, begin = 0, end = 0;
  for (std::int64_t pushed = 0, served = 0; served < kBursts;) {
    for (; !dut.full(kind); ++pushed) dut.push(kind, 0, map.place(place(pushed)), 0, now);
    now = std::max(now + 1, dut.next());
    dut.step(now);
    for (; !dut.completed().empty() && served < kBursts; dut.completed().pop_front()) {
      end = dut.completed().front().command;
      if (++served == kSettling) begin = end;
    }
  }
  return end - begin;
}
}  // namespace

Picoseconds HbmStreamPace::column(const HbmParams& params, Access kind) {
  HbmParams calm = params;
  calm.refresh = RefreshMode::Off;
  const HbmTick ticks = time_bursts(calm, kind, [](std::int64_t i) { return i; });
  return Picoseconds{ticks * params.timing.t_ck.count() / (2 * (kBursts - kSettling))};
}

Picoseconds HbmStreamPace::under_bank_refresh(const HbmParams& params, Access kind,
                                              Picoseconds column) {
  const auto at_random = [](std::int64_t i) {
    const auto drawn = mix64(static_cast<std::uint64_t>(i / kRun));
    return static_cast<std::int64_t>(drawn % kPlaces) * kRun + i % kRun;
  };
  HbmParams calm = params;
  calm.refresh = RefreshMode::Off;
  const HbmTick without = time_bursts(calm, kind, at_random);
  const HbmTick with = std::max(without, time_bursts(params, kind, at_random));
  return Picoseconds{column.count() * with / without};
}

}  // namespace reticle
