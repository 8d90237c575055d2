// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/duration_counts.hpp"

#include <algorithm>
#include <bit>

namespace reticle {

namespace {
/// To the nearest number of kBits significant bits.
std::int64_t round_off(std::int64_t duration) {
  const int excess = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(duration))) -
                     DurationCounts::kBits;
  if (excess <= 0) return duration;
  const std::int64_t half = std::int64_t{1} << (excess - 1);
  return (duration + half) >> excess << excess;
}
}  // namespace

void DurationCounts::flush() {
  const auto [duration, count] = std::exchange(last_, {});
  if (count == 0) return;
  count_ += count;
  sum_ps_ +=
      static_cast<unsigned __int128>(duration.count()) * static_cast<unsigned __int128>(count);
  counts_[rounded_ ? round_off(duration.count()) : duration.count()] += count;
  if (rounded_ || counts_.size() <= kMostExact) return;
  rounded_ = true;
  std::unordered_map<std::int64_t, std::int64_t> rounded;
  for (const auto& [exact, times] : counts_) rounded[round_off(exact)] += times;
  counts_ = std::move(rounded);
}

double DurationCounts::mean_ps() const {
  const auto sum = sum_ps_ + static_cast<unsigned __int128>(last_.first.count()) *
                                 static_cast<unsigned __int128>(last_.second);
  return static_cast<double>(sum) / static_cast<double>(count());
}

std::vector<std::pair<Picoseconds, std::int64_t>> DurationCounts::sorted() const {
  std::vector<std::pair<Picoseconds, std::int64_t>> all;
  all.reserve(counts_.size() + 1);
  for (const auto& [duration, count] : counts_) all.emplace_back(duration, count);
  if (last_.second > 0) all.push_back(last_);
  std::ranges::sort(all);
  return all;
}

}  // namespace reticle
