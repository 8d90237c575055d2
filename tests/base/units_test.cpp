// SPDX-License-Identifier: Apache-2.0
#include "sim/base/units.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

#include "sim/base/ids.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
}  // namespace

TEST_CASE("Quantity: units do not mix, not even with bare numbers") {
  static_assert(Addable<Bytes, Bytes>);
  static_assert(!Addable<Bytes, Picoseconds>);
  static_assert(!Addable<Bytes, std::int64_t>);
  static_assert(!std::is_convertible_v<std::int64_t, Bytes>);
  static_assert(!std::is_convertible_v<DieId, LinkId>);
}

TEST_CASE("Quantity: arithmetic and order are those of its count") {
  Bytes size = 3_B;
  size += 4_B;
  CHECK(size == 7_B);
  size -= 2_B;
  CHECK(size == 5_B);
  CHECK(size * 3 == 3 * size);
  CHECK(1_KiB - 1_B < 1_KiB);
  CHECK(max(1_ns, 999_ps) == 1_ns);
  CHECK(min(1_ns, 999_ps) == 999_ps);
}

TEST_CASE("literals: a thousand of one unit is the next") {
  CHECK(1_ns == 1000 * 1_ps);
  CHECK(1_us == 1000 * 1_ns);
  CHECK(1_ms == 1000 * 1_us);
  CHECK(1_MiB == 1024 * 1_KiB);
  CHECK(1_GBps == BytesPerSecond{1'000'000'000});
  CHECK(1000 * 1_ms == Picoseconds{kPicosecondsPerSecond});
}

TEST_CASE("mul_div_up: rounds up, through 128 bits, and stays at the largest number") {
  CHECK(mul_div_up(0, 5, 3) == 0);
  CHECK(mul_div_up(2, 5, 5) == 2);
  CHECK(mul_div_up(2, 5, 3) == 4);
  CHECK(mul_div_up(kMax, kMax, kMax) == kMax);
  CHECK(mul_div_up(kMax, 2, 1) == kMax);
}

TEST_CASE("div_up: is the ceiling") {
  for (std::int64_t a = 0; a < 20; ++a)
    for (std::int64_t b = 1; b < 7; ++b) CHECK(div_up(a, b) == a / b + (a % b != 0 ? 1 : 0));
}

TEST_CASE("time_of: a period that is no whole picosecond does not drift") {
  const Hertz clock = 1410_MHz;
  const Cycles second{clock.count()};
  CHECK(time_of(second, clock) == Picoseconds{kPicosecondsPerSecond});
  CHECK(time_of(3600 * second, clock) == Picoseconds{3600 * kPicosecondsPerSecond});
  CHECK(time_of(1_cycles, clock) == 710_ps);  // 709.2 rounded up
}

TEST_CASE("transfer_time: part of a picosecond occupies all of it") {
  CHECK(transfer_time(1000_B, 1000_GBps) == 1_ns);
  CHECK(transfer_time(0_B, 1_GBps) == 0_ps);
  CHECK(transfer_time(1_B, 3000_GBps) == 1_ps);
  CHECK(seconds(transfer_time(140_GB, 3350_GBps)) == doctest::Approx(140.0 / 3350.0));
}

TEST_CASE("index: is the number an id was made from") {
  CHECK(index(DieId{7}) == 7);
  CHECK(index(LinkId{0}) == 0);
}
