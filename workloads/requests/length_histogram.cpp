// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/length_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace reticle {

void LengthHistogram::add(std::int64_t length) {
  ++count_;
  max_ = std::max(max_, length);
  sum_ += static_cast<double>(length);
  if (length < kExact) {
    const auto at = static_cast<std::size_t>(length);
    if (at >= small_.size()) small_.resize(std::max(at + 1, small_.size() * 2));
    ++small_[at];
  } else {
    const auto spare_bits =
        static_cast<int>(std::bit_width(static_cast<std::uint64_t>(length))) - 11;
    ++large_[length >> spare_bits << spare_bits];
  }
}

double LengthHistogram::mean() const {
  return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_);
}

std::int64_t LengthHistogram::percentile(double percent) const {
  const auto rank = static_cast<std::int64_t>(
      std::max(1.0, std::ceil(percent / 100.0 * static_cast<double>(count_) - 1e-9)));
  std::int64_t seen = 0;
  std::int64_t found = max_;
  bool done = false;
  each([&](std::int64_t length, std::int64_t count) {
    seen += count;
    if (done || seen < rank) return;
    found = length;
    done = true;
  });
  return found;
}

void LengthHistogram::each(
    const std::function<void(std::int64_t length, std::int64_t count)>& visit) const {
  for (std::size_t length = 0; length < small_.size(); ++length)
    if (small_[length] > 0) visit(static_cast<std::int64_t>(length), small_[length]);
  for (const auto& [length, count] : large_) visit(length, count);
}

}  // namespace reticle
