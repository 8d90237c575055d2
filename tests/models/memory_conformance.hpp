// SPDX-License-Identifier: Apache-2.0
// What every MemoryIf promises (models/memory/memory_if.hpp), tested alike for all of them.
//
// A Subject names one implementation:
//   static std::unique_ptr<Memory> make();      a fresh memory, idle at time zero
//   static BytesPerSecond peak();
//   static Picoseconds refresh_anomaly();       by how much a later request may end earlier
//   static Bytes spread();                      a contiguous run this long reaches every channel
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <vector>

#include "models/memory/memory_if.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"

namespace reticle::conformance {

using namespace literals;

inline constexpr std::array kSizes{1_B,   31_B,   32_B,   64_B,    96_B,    100_B, 256_B, 1000_B,
                                   4_KiB, 5000_B, 16_KiB, 100_KiB, 256_KiB, 1_MiB, 4_MiB};
inline constexpr std::array kPieces{16_B, 64_B, 256_B, 1000_B, 4_KiB, 16_KiB};

/// Random runs as a decoder makes them: reads and writes, contiguous and in pieces, odd sizes.
inline std::vector<MemoryRun> random_runs(std::size_t count) {
  RngStream rng{7, "memory conformance"};
  std::vector<MemoryRun> runs;
  for (std::size_t i = 0; i < count; ++i)
    runs.push_back({.kind = rng.below(4) == 0 ? Access::Write : Access::Read,
                    .address = Bytes{static_cast<std::int64_t>(rng.below(1 << 19))},
                    .bytes = Bytes{static_cast<std::int64_t>(1 + rng.below(1 << 17))},
                    .piece = rng.below(3) == 0 ? kPieces[rng.below(kPieces.size())] : 0_B});
  return runs;
}

template <class Subject>
Picoseconds time_alone(const MemoryRun& run, Picoseconds at = {}) {
  return Subject::make()->access(run, at).done - at;
}

/// Whether `bytes` in `time` is at most `rate`; exact in 128 bits.
inline bool within_rate(Bytes bytes, Picoseconds time, BytesPerSecond rate) {
  return static_cast<__int128>(bytes.count()) * kPicosecondsPerSecond <=
         static_cast<__int128>(time.count()) * rate.count();
}

template <class Subject>
void times_are_in_order() {
  const auto memory = Subject::make();
  RngStream rng{11, "arrivals"};
  Picoseconds at{};
  for (const MemoryRun& run : random_runs(2000)) {
    const AccessTiming t = memory->access(run, at);
    CHECK(at <= t.accepted);
    CHECK(t.accepted <= t.started);
    CHECK(t.started <= t.first_data);
    CHECK(t.first_data <= t.done);
    CHECK(t.done > at);
    at += Picoseconds{static_cast<std::int64_t>(rng.below(4'000'000))};
  }
}

template <class Subject>
void zero_bytes_take_no_time() {
  const auto memory = Subject::make();
  memory->access({.kind = Access::Read, .address = 0_B, .bytes = 4_KiB, .piece = 0_B}, 0_ps);
  const MemoryStats before = memory->stats();
  const AccessTiming t =
      memory->access({.kind = Access::Write, .address = 64_B, .bytes = 0_B, .piece = 64_B}, 5_ns);
  CHECK(t.accepted == 5_ns);
  CHECK(t.started == 5_ns);
  CHECK(t.first_data == 5_ns);
  CHECK(t.done == 5_ns);
  const MemoryStats after = memory->stats();
  CHECK(after.transactions == before.transactions);
  CHECK(after.read == before.read);
  CHECK(after.written == before.written);
  CHECK(after.busy == before.busy);
}

template <class Subject>
void bytes_are_counted_as_asked() {
  const auto memory = Subject::make();
  Bytes read{}, written{};
  const auto runs = random_runs(500);
  for (const MemoryRun& run : runs) {
    memory->access(run, 0_ps);
    (run.kind == Access::Read ? read : written) += run.bytes;
  }
  CHECK(memory->stats().read == read);
  CHECK(memory->stats().written == written);
  CHECK(memory->stats().transactions == static_cast<std::int64_t>(runs.size()));
}

template <class Subject>
void never_beats_its_peak() {
  for (const Bytes bytes : kSizes)
    for (const Access kind : {Access::Read, Access::Write}) {
      const MemoryRun run{.kind = kind, .address = 0_B, .bytes = bytes, .piece = 0_B};
      CHECK(within_rate(bytes, time_alone<Subject>(run), Subject::peak()));
    }
  // Nor does a queue that never runs dry, whatever the mix.
  const auto memory = Subject::make();
  Bytes moved{};
  Picoseconds last{};
  for (const MemoryRun& run : random_runs(500)) {
    moved += run.bytes;
    last = max(last, memory->access(run, 0_ps).done);
    CHECK(within_rate(moved, last, Subject::peak()));
  }
}

template <class Subject>
void more_bytes_never_finish_earlier() {
  for (const Access kind : {Access::Read, Access::Write})
    for (const Bytes piece : {0_B, 16_B, 64_B, 1000_B, 4_KiB}) {
      Picoseconds before{};
      for (const Bytes bytes : kSizes) {
        const Picoseconds once = time_alone<Subject>({kind, 0_B, bytes, piece});
        CAPTURE(bytes.count());
        CAPTURE(piece.count());
        CHECK(once >= before);
        CHECK(time_alone<Subject>({kind, 0_B, 2 * bytes, piece}) >= once);
        before = once;
      }
    }
}

/// Equal runs on one memory, back to back: each ends no earlier than the one called before it, and
/// no sooner than its own service. A Subject with `reorders` keeps that for reads only: its writes
/// wait in a queue that reads pass.
template <class Subject>
void calls_are_served_in_order() {
  for (const Bytes bytes : {64_B, 5000_B, 256_KiB}) {
    const auto memory = Subject::make();
    Picoseconds last{};
    for (int i = 0; i < 200; ++i) {
      constexpr bool kReorders = requires { Subject::reorders; };
      const Access kind = i % 5 == 4 && !kReorders ? Access::Write : Access::Read;
      const AccessTiming t = memory->access({kind, 0_B, bytes, 0_B}, 0_ps);
      CHECK(t.done >= last);
      last = t.done;
    }
    CHECK(memory->stats().waited > 0_ps);
  }
}

/// Two memories alike but for the time of the last request.
template <class Subject>
void a_later_request_never_ends_earlier() {
  for (const Bytes bytes : {64_B, 4_KiB, 256_KiB}) {
    Picoseconds before{};
    for (std::int64_t step = 0; step < 120; ++step) {
      const auto memory = Subject::make();
      memory->access({Access::Write, 0_B, 8_KiB, 0_B}, 0_ps);
      // Steps of 70 ns pass more than two refresh intervals.
      const Picoseconds done =
          memory->access({Access::Read, 64_KiB, bytes, 0_B}, step * 70_ns).done;
      CHECK(done + Subject::refresh_anomaly() >= before);
      before = max(before, done);
    }
  }
}

template <class Subject>
void pieces_are_never_faster_than_one_run() {
  for (const Access kind : {Access::Read, Access::Write})
    for (const Bytes bytes : kSizes)
      for (const Bytes piece : kPieces) {
        if (bytes < Subject::spread()) continue;  // few pieces may use more channels than one run
        CAPTURE(bytes.count());
        CAPTURE(piece.count());
        // Command by command, refresh may fall a little better for the one than for the other.
        constexpr std::int64_t kPerMille = requires { Subject::by_command; }
        ? 999 : 1000;
        CHECK(time_alone<Subject>({kind, 0_B, bytes, piece}) * 1000 >=
              time_alone<Subject>({kind, 0_B, bytes, 0_B}) * kPerMille);
      }
}

}  // namespace reticle::conformance
