// SPDX-License-Identifier: Apache-2.0
// Figures of a trace, taken request by request in bounded memory.
//
// Bounded how: lengths by LengthHistogram; arrivals by 1,024 bins that widen; block ids and
// sessions by sets of at most `max_ids` each, which then stop counting and say so.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/requests/id_set.hpp"
#include "workloads/requests/length_histogram.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

/// Requests per stretch of time, in bins of one width that doubles when they run out.
class ArrivalProfile {
 public:
  static constexpr std::size_t kBins = 1024;

  void add(Picoseconds arrival);
  [[nodiscard]] Picoseconds width() const { return width_; }
  [[nodiscard]] const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  Picoseconds width_{kPicosecondsPerSecond};
  std::vector<std::int64_t> counts_;
};

/// Mean and variance of a series, one value after the other. [Welford, Technometrics 4(3), 1962]
class Moments {
 public:
  void add(double value);
  void add_zeros(std::int64_t count);
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return mean_; }
  /// Of the population.
  [[nodiscard]] double variance() const {
    return count_ == 0 ? 0.0 : squares_ / static_cast<double>(count_);
  }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0.0;
  double squares_ = 0.0;
};

class TraceStatistics {
 public:
  static constexpr std::size_t kMostIds = std::size_t{1} << 25;  ///< 400 MB of them

  /// `block_tokens` 0: the trace has no blocks. `max_ids` 0: blocks are not counted.
  explicit TraceStatistics(std::int64_t block_tokens = 0, std::size_t max_ids = kMostIds)
      : block_tokens_{block_tokens}, max_ids_{max_ids} {}

  /// In order of arrival.
  void add(const Request& request);

  [[nodiscard]] std::int64_t requests() const { return input_.count(); }
  [[nodiscard]] Picoseconds first() const { return first_; }
  [[nodiscard]] Picoseconds span() const { return last_ - first_; }
  /// Requests per second over the span; nothing when all arrive at once.
  [[nodiscard]] std::optional<double> rate() const;
  [[nodiscard]] const LengthHistogram& input() const { return input_; }
  [[nodiscard]] const LengthHistogram& output() const { return output_; }
  [[nodiscard]] const ArrivalProfile& arrivals() const { return arrivals_; }

  /// Coefficient of variation of the gaps between arrivals; 1 for Poisson.
  [[nodiscard]] std::optional<double> gap_cv() const;
  /// Variance over mean of the arrivals in each second; 1 for Poisson.
  [[nodiscard]] std::optional<double> dispersion() const;
  [[nodiscard]] std::int64_t peak_per_second() const;

  /// Prompt tokens and blocks that an endless cache would have held: the leading run of known ids.
  struct Prefix {
    std::int64_t tokens = 0;  ///< of all prompts counted
    std::int64_t hit_tokens = 0;
    std::int64_t blocks = 0;
    std::int64_t hit_blocks = 0;
    std::int64_t distinct_blocks = 0;
    bool complete = true;  ///< false: counted until the set of ids was full
  };
  /// Nothing when no request carries blocks, or they were not to be counted.
  [[nodiscard]] std::optional<Prefix> prefix() const;

  /// 0 when no request names one. `sessions_complete` false: there are more.
  [[nodiscard]] std::int64_t sessions() const {
    return static_cast<std::int64_t>(session_ids_.size());
  }
  [[nodiscard]] bool sessions_complete() const { return sessions_complete_; }
  [[nodiscard]] std::int64_t requests_of_sessions() const { return in_session_; }
  [[nodiscard]] std::int64_t requests_of_sub_agents() const { return sub_agent_; }
  [[nodiscard]] std::int64_t thinking_tokens() const { return thinking_; }
  [[nodiscard]] std::int64_t adapters() const {
    return static_cast<std::int64_t>(adapter_ids_.size());
  }

 private:
  void add_arrival(Picoseconds arrival);
  void add_blocks(const Request& request);

  std::int64_t block_tokens_;
  std::size_t max_ids_;
  LengthHistogram input_;
  LengthHistogram output_;
  ArrivalProfile arrivals_;
  Picoseconds first_{};
  Picoseconds last_{};
  Moments gaps_;
  Moments per_second_;  ///< of the seconds that are over
  std::int64_t second_ = 0;
  std::int64_t in_second_ = 0;
  std::int64_t peak_ = 0;
  Prefix prefix_;
  IdSet block_ids_;
  IdSet session_ids_;
  bool sessions_complete_ = true;
  std::int64_t in_session_ = 0;
  std::int64_t sub_agent_ = 0;
  std::int64_t thinking_ = 0;
  IdSet adapter_ids_;
};

}  // namespace reticle
