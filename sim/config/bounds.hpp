// SPDX-License-Identifier: Apache-2.0
// Generous bounds for what configurations may say: they catch slipped units and typing errors, and
// keep every product below within 64 bits.
#pragma once

#include <cstdint>

#include "sim/config/config_node.hpp"

namespace reticle::bounds {

inline constexpr Range<std::int64_t> kCount{1, 65'536};
/// More dies than any deployment one process can elaborate: some 100 kB of modules each.
inline constexpr std::int64_t kMaxDies = 65'536;
inline constexpr Range<std::int64_t> kLanes{1, 100'000'000};
inline constexpr Range<std::int64_t> kTokens{1, 1'000'000'000};
inline constexpr Range<Bytes> kSize{Bytes{1}, Bytes{1'000'000'000'000'000}};          // 1 PB
inline constexpr Range<Hertz> kClock{Hertz{1'000'000}, Hertz{10'000'000'000}};        // 10 GHz
inline constexpr Range<BytesPerSecond> kRate{BytesPerSecond{1'000'000},               // 1 MB/s
                                             BytesPerSecond{1'000'000'000'000'000}};  // 1 PB/s
inline constexpr Range<Picoseconds> kLatency{Picoseconds{0},
                                             Picoseconds{1'000'000'000'000}};             // 1 s
inline constexpr Range<Picoseconds> kTiming{Picoseconds{1}, Picoseconds{1'000'000'000}};  // 1 ms
inline constexpr Range<Cycles> kCycles{Cycles{0}, Cycles{1'000'000}};
inline constexpr Range<double> kPicojoules{0, 1e6};
inline constexpr Range<double> kWatts{0, 1e9};
inline constexpr Range<double> kDollars{0, 1e12};
inline constexpr Range<double> kSquareMillimetres{0, 1e5};  // a 300 mm wafer has 70,686

/// The product does not exceed `most`.
constexpr bool product_within(std::int64_t a, std::int64_t b, std::int64_t most) {
  return static_cast<__int128>(a) * b <= most;
}

}  // namespace reticle::bounds
