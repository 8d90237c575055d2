// SPDX-License-Identifier: Apache-2.0
// Whole-number physical quantities whose units the compiler checks.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace reticle {

/// A whole number of one unit. Same-unit arithmetic only; crossing units takes a named function.
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::int64_t count) : count_{count} {}
  [[nodiscard]] constexpr std::int64_t count() const { return count_; }
  constexpr auto operator<=>(const Quantity&) const = default;

  constexpr Quantity& operator+=(Quantity other) {
    count_ += other.count_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    count_ -= other.count_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity{a.count_ + b.count_};
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity{a.count_ - b.count_};
  }
  friend constexpr Quantity operator*(Quantity a, std::int64_t n) { return Quantity{a.count_ * n}; }
  friend constexpr Quantity operator*(std::int64_t n, Quantity a) { return a * n; }

 private:
  std::int64_t count_ = 0;
};

using Picoseconds = Quantity<struct PicosecondTag>;  ///< int64 covers 106 days
using Bytes = Quantity<struct ByteTag>;
using Cycles = Quantity<struct CycleTag>;
using Hertz = Quantity<struct HertzTag>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;

inline constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;

namespace literals {
constexpr Picoseconds operator""_ps(unsigned long long n) { return Picoseconds(std::int64_t(n)); }
constexpr Picoseconds operator""_ns(unsigned long long n) {
  return Picoseconds(std::int64_t(n) * 1'000);
}
constexpr Picoseconds operator""_us(unsigned long long n) {
  return Picoseconds(std::int64_t(n) * 1'000'000);
}
constexpr Picoseconds operator""_ms(unsigned long long n) {
  return Picoseconds(std::int64_t(n) * 1'000'000'000);
}
constexpr Bytes operator""_B(unsigned long long n) { return Bytes(std::int64_t(n)); }
constexpr Bytes operator""_KiB(unsigned long long n) { return Bytes(std::int64_t(n) * 1024); }
constexpr Bytes operator""_MiB(unsigned long long n) { return Bytes(std::int64_t(n) * 1048576); }
constexpr Bytes operator""_GB(unsigned long long n) {
  return Bytes(std::int64_t(n) * 1'000'000'000);
}
constexpr BytesPerSecond operator""_GBps(unsigned long long n) {
  return BytesPerSecond(std::int64_t(n) * 1'000'000'000);
}
constexpr Hertz operator""_MHz(unsigned long long n) { return Hertz(std::int64_t(n) * 1'000'000); }
constexpr Cycles operator""_cycles(unsigned long long n) { return Cycles(std::int64_t(n)); }
}  // namespace literals

/// a * b / c through 128 bits, rounded up. Requires a, b >= 0 and c > 0.
constexpr std::int64_t mul_div_up(std::int64_t a, std::int64_t b, std::int64_t c) {
  // A 128-bit division costs ten times a 64-bit one, and this is on the simulator's hot path.
  std::int64_t small = 0;
  if (!__builtin_mul_overflow(a, b, &small) &&
      small <= std::numeric_limits<std::int64_t>::max() - c)
    return (small + c - 1) / c;
  const auto product = static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b);
  const auto divisor = static_cast<unsigned __int128>(c);
  const auto result = (product + divisor - 1) / divisor;
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  return result > static_cast<unsigned __int128>(kMax) ? kMax : static_cast<std::int64_t>(result);
}

/// ceil(a / b) for a >= 0, b > 0.
constexpr std::int64_t div_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Start of clock cycle `n`. Rounds once, from the absolute cycle: a 1.41 GHz period is
/// 709.2 ps, and adding a rounded 709 ps every cycle would drift by 0.03 %.
constexpr Picoseconds time_of(Cycles n, Hertz clock) {
  return Picoseconds{mul_div_up(n.count(), kPicosecondsPerSecond, clock.count())};
}

/// Rounds up: a transfer that needs part of a picosecond occupies all of it.
constexpr Picoseconds transfer_time(Bytes size, BytesPerSecond rate) {
  return Picoseconds{mul_div_up(size.count(), kPicosecondsPerSecond, rate.count())};
}

constexpr double seconds(Picoseconds t) { return static_cast<double>(t.count()) * 1e-12; }

template <class Tag>
constexpr Quantity<Tag> max(Quantity<Tag> a, Quantity<Tag> b) {
  return a < b ? b : a;
}
template <class Tag>
constexpr Quantity<Tag> min(Quantity<Tag> a, Quantity<Tag> b) {
  return b < a ? b : a;
}

}  // namespace reticle
