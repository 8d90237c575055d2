// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/token_log.hpp"

#include <algorithm>

namespace reticle {

namespace {
constexpr std::size_t kMostSamples = 16'384;  // 256 kB; beyond, every other is let go
}

void TokenLog::add(Picoseconds time, std::int64_t tokens) {
  if (seen_++ % stride_ != 0) return;
  samples_.push_back({time, tokens});
  if (samples_.size() < kMostSamples) return;
  for (std::size_t i = 0; 2 * i < samples_.size(); ++i) samples_[i] = samples_[2 * i];
  samples_.resize(samples_.size() / 2);
  stride_ *= 2;
}

std::int64_t TokenLog::tokens_at(Picoseconds time) const {
  return std::prev(std::ranges::upper_bound(samples_, time, {}, &Sample::time))->tokens;
}

std::optional<double> TokenLog::rate(Picoseconds from, Picoseconds to) const {
  if (to <= from) return std::nullopt;
  return static_cast<double>(tokens_at(to) - tokens_at(from)) / seconds(to - from);
}

void rate_faults(std::span<FaultRecord> faults, const TokenLog& log, Picoseconds asked,
                 Picoseconds end) {
  std::optional<Picoseconds> quiet = Picoseconds{0};  // since when no fault lasts
  for (std::size_t i = 0; i < faults.size(); ++i) {
    FaultRecord& fault = faults[i];
    const Picoseconds at = fault.fault.at;
    if (quiet && *quiet <= at)
      fault.rate_before = log.rate(*quiet + Picoseconds{(at - *quiet).count() / 2}, at);
    quiet = fault.over;
    if (!fault.over) continue;
    if (fault.back) fault.rate_during = log.rate(at, *fault.back);
    const Picoseconds until = i + 1 < faults.size() ? faults[i + 1].fault.at : end;
    const bool asked_enough = 2 * (asked - *fault.over) > until - *fault.over;
    fault.rate_after = log.rate(*fault.over, asked_enough ? min(asked, until) : until);
  }
}

}  // namespace reticle
