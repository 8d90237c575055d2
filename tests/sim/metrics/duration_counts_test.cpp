// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/base/rng.hpp"
#include "sim/metrics/duration_counts.hpp"

using namespace reticle;

TEST_CASE("duration counts: few durations are kept as they are") {
  constexpr std::int64_t kLong = 123'456'789'123;
  DurationCounts counts;
  for (const std::int64_t ps : std::vector<std::int64_t>{7, 7, kLong, 0, 7, kLong})
    counts.add(Picoseconds{ps});
  counts.add(Picoseconds{5}, 3);
  CHECK(counts.count() == 9);
  CHECK_FALSE(counts.rounded());
  std::int64_t sevens = 0, longest = 0;
  for (const auto& [duration, count] : counts.sorted()) {
    if (duration == Picoseconds{7}) sevens += count;
    longest = duration.count();
  }
  CHECK(sevens == 3);
  CHECK(longest == kLong);
  CHECK(counts.mean_ps() == (3 * 7 + 2 * 123'456'789'123.0 + 15) / 9);
}

TEST_CASE("duration counts: many take bounded room and lose no more than their last bits") {
  DurationCounts counts;
  RngStream rng{1, "durations"};
  std::vector<std::int64_t> all;
  double sum = 0;
  for (int i = 0; i < 300'000; ++i) {
    all.push_back(static_cast<std::int64_t>(1e9 * std::exp(3 * rng.uniform())));
    counts.add(Picoseconds{all.back()});
    sum += static_cast<double>(all.back());
  }
  std::ranges::sort(all);
  CHECK(counts.rounded());
  CHECK(counts.count() == std::ssize(all));
  CHECK(std::abs(counts.mean_ps() * 3e5 / sum - 1) < 1e-12);
  const auto sorted = counts.sorted();
  CHECK(sorted.size() < 6 * (std::size_t{1} << DurationCounts::kBits));
  std::size_t at = 0;
  double furthest = 0;
  for (const auto& [duration, count] : sorted)
    for (std::int64_t i = 0; i < count; ++i, ++at)
      furthest = std::max(
          furthest,
          std::abs(static_cast<double>(duration.count()) / static_cast<double>(all[at]) - 1));
  CHECK(furthest <= std::ldexp(1.0, -DurationCounts::kBits));
  CHECK(furthest > 0);
}
