// SPDX-License-Identifier: Apache-2.0
#include "sim/config/value_text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "sim/config/enum_tables.hpp"

namespace reticle {
namespace {
using namespace literals;

template <class T>
std::string problem(std::string_view text) {
  return ValueText<T>::parse(text).problem;
}
template <class T>
std::optional<T> parsed(std::string_view text) {
  return ValueText<T>::parse(text).value;
}
}  // namespace

TEST_CASE("ValueText: quantities are read exactly in their unit") {
  CHECK(parsed<Picoseconds>("14.2 ns") == 14'200_ps);
  CHECK(parsed<Picoseconds>("19.375ns") == 19'375_ps);
  CHECK(parsed<Picoseconds>("2.0 us") == 2_us);
  CHECK(parsed<Bytes>("1.6 GB") == Bytes{1'600'000'000});
  CHECK(parsed<Bytes>("64 MiB") == 64_MiB);
  CHECK(parsed<Hertz>("1.83 GHz") == 1830_MHz);
  CHECK(parsed<BytesPerSecond>("3.35 TB/s") == 3350_GBps);
  CHECK(parsed<BytesPerSecond>("1e3 GB/s") == 1000_GBps);
  CHECK(parsed<BitsPerSecond>("5.234 Gb/s") == BitsPerSecond{5'234'000'000});
  CHECK(parsed<Cycles>("4 cycles") == 4_cycles);
  CHECK(parsed<Cycles>("1 cycle") == 1_cycles);
  CHECK(parsed<Cycles>("4") == 4_cycles);
}

TEST_CASE("ValueText: a physical number without its unit, or with another's, is refused") {
  for (const auto* text :
       {"15", "15 s s", "15 Ns", "ns", "", "15 GB", "0x10 ns", "1,5 ns", "nan ns"})
    CHECK_MESSAGE(parsed<Picoseconds>(text) == std::nullopt, text);
  CHECK(parsed<Bytes>("64") == std::nullopt);
  CHECK(parsed<Bytes>("64 KB") == std::nullopt);  // 1000 or 1024? kB or KiB
  CHECK(parsed<BytesPerSecond>("400 Gb/s") == std::nullopt);
  CHECK(parsed<BitsPerSecond>("400 GB/s") == std::nullopt);
}

TEST_CASE("ValueText: what does not come out whole, fits or is positive is refused with a reason") {
  CHECK(problem<Picoseconds>("0.5 ps") == "must be a whole number of ps");
  CHECK(problem<std::int64_t>("2.5") == "must be a whole number");
  CHECK(problem<Bytes>("-1 GB") == "must not be negative");
  CHECK(problem<Bytes>("1e-400 GB") == "must be a whole number of B");
  CHECK(problem<Bytes>("9300 PB") == "out of the range of 64-bit numbers");
  CHECK(problem<Bytes>("1e999999999999 B") == "out of the range of 64-bit numbers");
  CHECK(problem<std::int64_t>("9223372036854775808") == "out of the range of 64-bit numbers");
  CHECK(problem<std::int64_t>(std::string(10'000, '9')) == "out of the range of 64-bit numbers");
  CHECK(parsed<Bytes>("0e999999999 B") == 0_B);
}

TEST_CASE("ValueText: whole numbers reach both ends of their type") {
  CHECK(parsed<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parsed<std::int64_t>("-9223372036854775807") == -std::numeric_limits<std::int64_t>::max());
  CHECK(parsed<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(parsed<std::uint64_t>("-1") == std::nullopt);
  CHECK(parsed<std::int64_t>("1e6") == 1'000'000);
}

TEST_CASE("ValueText: numbers must be finite and wholly numbers") {
  CHECK(parsed<double>("0.118") == 0.118);
  CHECK(parsed<double>("-3e-2") == -0.03);
  CHECK(problem<double>("inf") == "must be a finite number");
  CHECK(problem<double>("nan") == "must be a finite number");
  CHECK(problem<double>("1e999") == "out of the range of numbers");
  CHECK(parsed<double>("0.1x") == std::nullopt);
}

TEST_CASE("ValueText: words of yes and no") {
  for (const auto* text : {"true", "on", "yes"}) CHECK(parsed<bool>(text) == true);
  for (const auto* text : {"false", "off", "no"}) CHECK(parsed<bool>(text) == false);
  CHECK(parsed<bool>("1") == std::nullopt);
}

TEST_CASE("ValueText: the canonical text is short and reads back the same") {
  CHECK(ValueText<Picoseconds>::format(14'200_ps) == "14.2 ns");
  CHECK(ValueText<Picoseconds>::format(0_ps) == "0 ps");
  CHECK(ValueText<Picoseconds>::format(100_us) == "100 us");
  CHECK(ValueText<Bytes>::format(128_MiB) == "128 MiB");
  CHECK(ValueText<Bytes>::format(Bytes{1'600'000'000}) == "1.6 GB");
  CHECK(ValueText<Bytes>::format(1023_B) == "1023 B");
  CHECK(ValueText<Hertz>::format(1790_MHz) == "1.79 GHz");
  CHECK(ValueText<BytesPerSecond>::format(450_GBps) == "450 GB/s");
  CHECK(ValueText<Cycles>::format(1_cycles) == "1 cycles");
  CHECK(ValueText<double>::format(1e6) == "1000000");
  CHECK(ValueText<double>::format(0.0155) == "0.0155");
  for (std::int64_t count :
       {1LL, 999LL, 1024LL, 1'234'567LL, 1LL << 40, 9'223'372'036'854'775'807LL}) {
    CHECK(parsed<Bytes>(ValueText<Bytes>::format(Bytes{count})) == Bytes{count});
    CHECK(parsed<Picoseconds>(ValueText<Picoseconds>::format(Picoseconds{count})) ==
          Picoseconds{count});
  }
  for (double value : {0.1, 0.118, 12000.0, 1e-300, 1.0 / 3})
    CHECK(parsed<double>(ValueText<double>::format(value)) == value);
}

TEST_CASE("ValueText: a timing in beats follows the data rate, one in time does not") {
  const auto burst = *parsed<BeatTime>("8 beats");
  const auto row = *parsed<BeatTime>("16.25 ns");
  constexpr BitsPerSecond kFast{8'000'000'000};
  constexpr BitsPerSecond kSlow{5'234'000'000};
  CHECK(time_at(burst, kFast) == 1_ns);
  CHECK(time_at(burst, kSlow) == 1528_ps);                         // 8 / 5.234 = 1.5285 ns
  CHECK(time_at(burst, BitsPerSecond{10'700'000'000}) == 748_ps);  // 747.66, to the nearest
  CHECK(time_at(row, kSlow) == 16'250_ps);
  CHECK(ValueText<BeatTime>::format(burst) == "8 beats");
  CHECK(ValueText<BeatTime>::format(row) == "16.25 ns");
}

TEST_CASE("ValueText: every word of every enum reads back") {
  for (const auto& row : EnumTable<TopologyKind>::names)
    CHECK(parsed<TopologyKind>(row.name) == row.value);
  for (const auto& row : EnumTable<Precision>::names)
    CHECK(parsed<Precision>(row.name) == row.value);
  CHECK(ValueText<RefreshMode>::expected() == "one of off, all-bank, per-bank");
  CHECK(parsed<Fidelity>("cycles") == std::nullopt);
}
}  // namespace reticle
