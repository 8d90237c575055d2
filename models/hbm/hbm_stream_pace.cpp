// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_stream_pace.hpp"

#include <algorithm>

#include "models/hbm/hbm_controller.hpp"
#include "models/hbm/hbm_map.hpp"
#include "models/hbm/refresh_clock.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

namespace {
/// What is timed: `bursts` of which the first `settling` are not.
struct Span {
  std::int64_t settling = 0, bursts = 0;
};
/// Of HBM4 11 us, in which every bank is refreshed two or three times.
constexpr Span kShort{.settling = 1'000, .bursts = 12'000};
/// A long run of HBM4 is in step with its refresh after some 4,000 bursts.
constexpr Span kLong{.settling = 8'000, .bursts = 24'000};
/// Bursts of the other direction served before. Whether what they leave in the queue keeps the run
/// out of step depends on the banks that holds up: drawn evenly over the places in a row and a run.
constexpr std::int64_t kServedBefore = 1'000;
constexpr std::int64_t kServedApart = 517;
constexpr std::int64_t kDraws = 8;
/// Runs long against a queue, short against a stream that falls into step with refresh.
constexpr Bytes kShortRun{8 * 1024};
constexpr Bytes kLongRun{64 * 1024};
constexpr std::int64_t kBytesOfPlaces = std::int64_t{1} << 29;

/// Runs one behind the other at places drawn evenly.
auto at_random(const HbmParams& params, Bytes run) {
  const std::int64_t bursts = run.count() / params.burst.count();
  const auto places = static_cast<std::uint64_t>(kBytesOfPlaces / run.count());
  return [=](std::int64_t i) {
    const std::uint64_t drawn = mix64(static_cast<std::uint64_t>(i / bursts));
    return static_cast<std::int64_t>(drawn % places) * bursts + i % bursts;
  };
}

/// From the column command of the last burst that settles to that of the last one, refresh of all
/// banks taken off; behind `before` bursts of the other direction, which leave their queue full.
template <class Place>
Picoseconds time_bursts(const HbmParams& params, Access kind, Span span, Place place,
                        std::int64_t before = 0) {
  enum Tag : std::uint32_t { kTimed, kBefore };
  HbmController dut{params};
  const HbmMap map{params};
  HbmTick now = 0, begin = 0, end = 0;
  const auto serve = [&](Access of, std::int64_t bursts, Tag tag) {
    const std::int64_t elsewhere = tag == kBefore ? kBytesOfPlaces / params.burst.count() : 0;
    for (std::int64_t pushed = 0, served = 0; served < bursts;) {
      for (; !dut.full(of); ++pushed)
        dut.push(of, 0, map.place(elsewhere + place(pushed)), tag, now);
      now = std::max(now + 1, dut.next());
      dut.step(now);
      for (; !dut.completed().empty() && served < bursts; dut.completed().pop_front()) {
        if (dut.completed().front().tag != tag) continue;
        end = dut.completed().front().command;
        if (++served == span.settling) begin = end;
      }
    }
  };
  if (before > 0) serve(kind == Access::Read ? Access::Write : Access::Read, before, kBefore);
  serve(kind, span.bursts, kTimed);
  const RefreshClock refresh{params.timing, params.refresh};
  const auto useful = [&](HbmTick tick) {
    return refresh.useful(Picoseconds{tick * params.timing.t_ck.count() / 2});
  };
  return useful(end) - useful(begin);
}

Picoseconds column_of(Picoseconds time, Span span) {
  return Picoseconds{time.count() / (span.bursts - span.settling)};
}
}  // namespace

Picoseconds HbmStreamPace::column(const HbmParams& params, Access kind) {
  HbmParams calm = params;
  calm.refresh = RefreshMode::Off;
  return column_of(time_bursts(calm, kind, kShort, [](std::int64_t i) { return i; }), kShort);
}

Picoseconds HbmStreamPace::under_bank_refresh(const HbmParams& params, Access kind,
                                              Picoseconds column) {
  HbmParams calm = params;
  calm.refresh = RefreshMode::Off;
  const auto place = at_random(params, kShortRun);
  const Picoseconds without = time_bursts(calm, kind, kShort, place);
  const Picoseconds with = max(without, time_bursts(params, kind, kShort, place));
  return Picoseconds{column.count() * with.count() / without.count()};
}

Picoseconds HbmStreamPace::of_long_runs(const HbmParams& params, Access kind) {
  return column_of(time_bursts(params, kind, kLong, at_random(params, kLongRun)), kLong);
}

Picoseconds HbmStreamPace::of_long_runs_beside(const HbmParams& params, Access kind) {
  const auto place = at_random(params, kLongRun);
  Picoseconds sum{};
  for (std::int64_t i = 0; i < kDraws; ++i)
    sum +=
        column_of(time_bursts(params, kind, kLong, place, kServedBefore + i * kServedApart), kLong);
  return Picoseconds{sum.count() / kDraws};
}

}  // namespace reticle
