// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_statistics.hpp"

#include <algorithm>
#include <cmath>

namespace reticle {

void ArrivalProfile::add(Picoseconds arrival) {
  while (arrival.count() / width_.count() >= static_cast<std::int64_t>(kBins)) {
    for (std::size_t i = 0; 2 * i < counts_.size(); ++i)
      counts_[i] = counts_[2 * i] + (2 * i + 1 < counts_.size() ? counts_[2 * i + 1] : 0);
    counts_.resize((counts_.size() + 1) / 2);
    width_ = 2 * width_;
  }
  const auto bin = static_cast<std::size_t>(arrival.count() / width_.count());
  if (bin >= counts_.size()) counts_.resize(bin + 1);
  ++counts_[bin];
}

void Moments::add(double value) {
  ++count_;
  const double before = value - mean_;
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (value - mean_);
}

void Moments::add_zeros(std::int64_t count) {
  if (count <= 0) return;
  const auto old = static_cast<double>(count_);
  const auto fresh = static_cast<double>(count);
  squares_ += mean_ * mean_ * old * fresh / (old + fresh);
  mean_ *= old / (old + fresh);
  count_ += count;
}

void TraceStatistics::add(const Request& request) {
  add_arrival(request.arrival);
  input_.add(request.input_tokens);
  output_.add(request.output_tokens);
  add_blocks(request);
  thinking_ += request.thinking_tokens;
  if (request.depth > 0) ++sub_agent_;
  if (request.adapter && adapter_ids_.size() < kMostIds) adapter_ids_.insert(*request.adapter);
  if (!request.session) return;
  ++in_session_;
  if (session_ids_.size() < kMostIds) {
    session_ids_.insert(*request.session);
  } else if (!session_ids_.contains(*request.session)) {
    sessions_complete_ = false;
  }
}

void TraceStatistics::add_arrival(Picoseconds arrival) {
  if (requests() == 0) {
    first_ = arrival;
  } else {
    gaps_.add(static_cast<double>((arrival - last_).count()));
  }
  last_ = arrival;
  arrivals_.add(arrival - first_);
  const std::int64_t second = (arrival - first_).count() / kPicosecondsPerSecond;
  if (second > second_) {
    per_second_.add(static_cast<double>(in_second_));
    per_second_.add_zeros(second - second_ - 1);
    second_ = second;
    in_second_ = 0;
  }
  peak_ = std::max(peak_, ++in_second_);
}

void TraceStatistics::add_blocks(const Request& request) {
  if (block_tokens_ == 0 || max_ids_ == 0 || !prefix_.complete) return;
  const auto& ids = request.prefix_blocks;
  if (block_ids_.size() + ids.size() > max_ids_) {
    prefix_.complete = false;
    return;
  }
  // The leading run, before any id of this prompt is known.
  std::size_t run = 0;
  while (run < ids.size() && block_ids_.contains(ids[run])) ++run;
  for (std::size_t i = run; i < ids.size(); ++i) block_ids_.insert(ids[i]);
  prefix_.tokens += request.input_tokens;
  prefix_.blocks += static_cast<std::int64_t>(ids.size());
  prefix_.hit_blocks += static_cast<std::int64_t>(run);
  // The last block may be part-filled.
  prefix_.hit_tokens +=
      std::min(static_cast<std::int64_t>(run) * block_tokens_, request.input_tokens);
}

std::optional<double> TraceStatistics::rate() const {
  if (span() <= Picoseconds{0}) return std::nullopt;
  return static_cast<double>(requests()) / seconds(span());
}

std::optional<double> TraceStatistics::gap_cv() const {
  if (gaps_.mean() <= 0.0) return std::nullopt;
  return std::sqrt(gaps_.variance()) / gaps_.mean();
}

std::optional<double> TraceStatistics::dispersion() const {
  Moments all = per_second_;
  all.add(static_cast<double>(in_second_));
  if (all.count() < 2 || all.mean() <= 0.0) return std::nullopt;
  return all.variance() / all.mean();
}

std::int64_t TraceStatistics::peak_per_second() const { return peak_; }

std::optional<TraceStatistics::Prefix> TraceStatistics::prefix() const {
  if (prefix_.blocks == 0) return std::nullopt;
  Prefix prefix = prefix_;
  prefix.distinct_blocks = static_cast<std::int64_t>(block_ids_.size());
  return prefix;
}

}  // namespace reticle
